"""Take an update's turn: lease its user status, send what is pending there, write down what came of it.

Gather (row, outcomes), decide (``core``), act. The queue says whose turn it is; the user status's row says what to
send: the newest accepted values that Graph does not have, of whichever update. What decides is read under the lease.
What happens when the process dies between two lines is in ``docs/architecture/crash-safety.md``.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.delivery.failure import EXPIRED, deadline_exceeded
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import Members, record
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.delivery.retry import (
    DeadlineExceeded,
    DeliveryError,
    Done,
    GiveUp,
    RetryAt,
    Step,
    refuses_every_value,
)
from shared.core.delivery.user_status import Lease, Values, lease_retry_time, lost_values, update_ids
from shared.core.intake.envelope import Envelope
from shared.service.delivery.complete import Complete, attempts_from
from shared.service.delivery.decide import NEVER, Decide
from shared.service.delivery.lease import Leases
from shared.service.delivery.pauses import Hold
from shared.service.delivery.read_outcomes import ReadOutcomes
from shared.service.delivery.turn import Turn
from shared.service.delivery.write import PausesChanged, Permit, Write
from shared.service.ports.graph import Identity, IdentityUnavailable
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import Conflict, StoredOutcome, UserStatusStore
from shared.service.rate_limiter import Deferred, RateLimiter, RouteMissing

log = logging.getLogger(__name__)

#: Writes of one turn; where Graph refuses more of them, the rest has its turn later.
MAX_WRITES = 6
_CONFLICT_PAUSE = timedelta(seconds=1)
#: Values that Graph may have lost, and that a pause holds, are looked at again after this time.
_HELD_LOSS_PAUSE = timedelta(minutes=1)
_NO_ROUTE = DeliveryError(
    "operationNotSupported",
    "This update was not sent: Graph answered for several user statuses in a row that it has no route for this call.",
    GraphReply(None, judged=ReplyKind.ROUTE_MISSING),
)


@dataclass(frozen=True)
class TakeTurn:
    """Takes turns; safe to call from any thread of any instance, any number of times."""

    user_statuses: UserStatusStore
    leases: Leases
    read_outcomes: ReadOutcomes
    hold: Hold
    identity: Identity
    rate_limiter: RateLimiter
    write: Write
    complete: Complete
    clock: Clock
    randomness: Randomness
    decide: Decide

    def __call__(self, envelope: Envelope, known: StoredOutcome | None) -> None:
        """Carry one update as far as it goes now; ``known`` is its outcome as read before, which may have changed."""
        turn = Turn(envelope, known, holder=f"{self.randomness.bits():x}")
        if self._overdue(turn) or turn.has_expired(self.clock.now()):
            self._take(turn)  # fails without a call
            return
        if turn.final and not self._lost_values(turn):
            log.info("dropped", extra={"update_id": turn.id})
            return
        update = envelope.update
        with self.rate_limiter.slot(update.device_compliance_policy_id, bulk=update.bulk) as admission:
            match admission.acquire():
                case Deferred(when):
                    self.complete.requeue(envelope, when)
                    return
                case RouteMissing():
                    turn.route_missing = True
                    self._take(turn)  # fails without a call
                    return
            try:
                turn.permit = Permit(admission, self.identity.token())
            except IdentityUnavailable as error:
                self._without_token(turn, GraphReply(status_code=None, identity_fault=str(error)))
                return
            self._take(turn)

    def _overdue(self, turn: Turn) -> bool:
        return turn.tried and self.decide.is_over(turn.tried_from)

    def _lost_values(self, turn: Turn) -> bool:
        row = self.user_statuses.read(turn.envelope.user_status_key, 0).row
        return row is not None and bool(lost_values(row))

    def _without_token(self, turn: Turn, reply: GraphReply) -> None:
        """No call can be made: it waits, however long, since nothing was tried."""
        policy_id = turn.envelope.update.device_compliance_policy_id
        self.rate_limiter.record(policy_id, turn.envelope.user_status_key, reply)
        step = self._decide(turn, reply, NEVER)
        if isinstance(step, RetryAt):
            self.complete.retry_later(turn.envelope, turn.known, step, ())

    def _take(self, turn: Turn) -> None:
        try:
            claim = self.leases.acquire(turn.envelope.user_status_key, turn.blank_row, holder=turn.holder, own=turn.own)
        except Conflict:
            self.complete.requeue(turn.envelope, self.clock.now() + _CONFLICT_PAUSE)
            return
        if isinstance(claim, Lease):
            when = lease_retry_time(claim, self.clock.now(), self.randomness.jitter())
            self.complete.requeue(turn.envelope, when)
            return
        turn.claimed = claim
        self.read_outcomes.pending(turn)
        self.complete(turn, self._send(turn))
        pause = turn.held.get(turn.id)
        if pause is not None and not turn.stale:
            attempts = attempts_from(turn.calls_of(turn.id))
            self.hold.by(pause, turn.envelope, turn.known, lambda outcome: record(outcome, attempts))

    def _send(self, turn: Turn) -> RetryAt | Deferred | None:
        """Send what is pending; return why the rest has to wait, None where nothing has to."""
        self._leave_out(turn)
        self._fail_without_call(turn)
        whole = True
        for _ in range(MAX_WRITES):
            self._leave_out(turn)
            if not self._has_work(turn):
                return self._later_loss(turn)
            values = turn.values() if whole else turn.newest_alone(turn.values())
            single = values == turn.newest_alone(values)
            step = self._try(turn, values)
            match step:
                case RetryAt() | Deferred():
                    return step
                case PausesChanged():
                    continue
                case DeadlineExceeded(error):
                    turn.fail([turn.id], error.to_json())
                    return None
                case GiveUp(error) if refuses_every_value(error.reply):
                    turn.fail(list(turn.claim.accepted), error.to_json())
                    return None
                case GiveUp(error) if single:
                    self._refused(turn, values, error.to_json())
            # A refused merged write is split: its newest update alone, then the rest in one write.
            whole = single or isinstance(step, Done)
        return Deferred(self.clock.now())

    def _fail_without_call(self, turn: Turn) -> None:
        if self._overdue(turn):
            turn.permit = None
            turn.fail([turn.id], deadline_exceeded(turn.outcome.error if turn.outcome else None))
        elif turn.route_missing and not turn.stale:
            turn.fail(list(turn.claim.accepted), _NO_ROUTE.to_json())

    def _leave_out(self, turn: Turn) -> None:
        """Choose by the pauses of now: what one of them holds is not sent, and what has expired fails."""
        turn.pauses = self.hold.active()
        if turn.permit is not None:
            turn.permit.pauses = turn.pauses
        while True:
            if held := turn.found_held():
                turn.held |= held
                turn.claim.drop(held)
            elif expired := turn.expired(self.clock.now()):
                turn.fail(expired, EXPIRED)
            else:
                return
            self.read_outcomes.pending(turn)

    def _has_work(self, turn: Turn) -> bool:
        """Whether this turn has anything to send: its own values, or ones that a withdrawn write may have replaced."""
        if turn.permit is None or turn.stale:
            return False
        return turn.open or turn.has_loss_to_send

    def _later_loss(self, turn: Turn) -> Deferred | None:
        """Return when to look again at values that Graph may have lost and that a pause holds; None without any."""
        if turn.permit is None or turn.stale or not turn.lost():
            return None
        return Deferred(self.clock.now() + _HELD_LOSS_PAUSE)

    def _try(self, turn: Turn, values: Values) -> Step | Deferred | PausesChanged:
        assert turn.permit is not None  # noqa: S101 - a turn without a permit has no work
        written = self.write(turn.claim, values, turn.permit, update_id=turn.id, carried=turn.traces(values))
        turn.note(values, written.calls)
        match written.barred:
            case Deferred() | PausesChanged() as barred:
                return barred
            case RouteMissing():
                return GiveUp(_NO_ROUTE)
        return self._decide(turn, written.reply, self.decide.deadline(turn.tried_from))

    def _refused(self, turn: Turn, values: Values, error: Members) -> None:
        """The one update whose values these are fails; where there is none, they are not sent again."""
        waiting = update_ids(values) & turn.claim.accepted.keys()
        turn.fail(waiting, error)
        if not waiting:
            turn.claim.forget(values)
        self.read_outcomes.pending(turn)

    def _decide(self, turn: Turn, reply: GraphReply, deadline: datetime) -> Step:
        step = self.decide(reply, attempt=turn.envelope.attempt, deadline=deadline)
        expires = turn.envelope.update.expires
        if isinstance(step, RetryAt) and expires is not None:
            return replace(step, when=min(step.when, expires))  # it ends then, not at its next attempt
        return step
