"""One update's turn: lease its user status, send what that is owed, write down what came of it.

Gather (snapshot, outcomes), decide (``core``), act. The queue says whose turn it is; the user status's row says what to
send: the newest accepted values that Graph does not have, whoever brought them. What happens when the process dies
between two lines is in ``docs/architecture/crash-safety.md``.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.core.delivery import user_status as core
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import deadline_exceeded, is_stale
from shared.core.delivery.retry import (
    DeadlineExceeded,
    DeliveryLimits,
    Done,
    GiveUp,
    RetryAt,
    Step,
    decide,
    may_still_land,
)
from shared.core.delivery.user_status import Acceptance, Snapshot, UserStatusRow, Values
from shared.core.intake.envelope import Envelope
from shared.service.delivery.complete import Complete
from shared.service.delivery.lease import Leases
from shared.service.delivery.write import Leave, Sending, Write
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.graph import GraphCall, Identity, IdentityUnavailable
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import Conflict, StoredOutcome, UserStatusStore
from shared.service.rate_limiter import Deferred, RateLimiter

_TRIES = 5
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Turn:
    """Takes turns; safe to call from any thread of any instance, any number of times."""

    user_statuses: UserStatusStore
    leases: Leases
    repository: OutcomeRepository
    identity: Identity
    rate_limiter: RateLimiter
    write: Write
    complete: Complete
    clock: Clock
    randomness: Randomness
    limits: DeliveryLimits

    def take(self, envelope: Envelope, known: StoredOutcome | None, *, fresh: bool = False) -> None:
        """Carry one update as far as it goes now.

        ``known`` is its outcome as just read; ``fresh`` says that it cannot have one, nor be known to anyone else.
        """
        slot = None if self._overdue(envelope, known) else self.rate_limiter.enter()
        if isinstance(slot, Deferred):
            self.complete.requeue(envelope, slot.when)
            return
        leave = Leave(slot)
        try:
            self._take(envelope, known, leave, fresh=fresh)
        finally:
            if leave.slot is not None:
                self.rate_limiter.give_back(leave.slot)

    def _take(self, envelope: Envelope, known: StoredOutcome | None, leave: Leave, *, fresh: bool) -> None:
        try:
            # What is overdue fails without a call, so also without a token.
            token = "" if leave.slot is None else self.identity.token()
        except IdentityUnavailable as error:
            self._without_token(envelope, known, GraphReply(status_code=None, identity_fault=str(error)))
            return
        for _ in range(_TRIES):
            try:
                sending = self._lease(envelope, known, fresh=fresh)
            except Conflict:
                continue
            if sending is not None:
                self._act(envelope, sending, token, leave)
            return
        self.complete.requeue(envelope, self.clock.now() + timedelta(seconds=1))

    def _lease(self, envelope: Envelope, known: StoredOutcome | None, *, fresh: bool) -> Sending | None:
        """The user status, leased, and what it is owed; None when this update needs no write of its own."""
        key = envelope.user_status_key
        snapshot = self.user_statuses.read(key)
        row = snapshot.row or UserStatusRow.of(envelope)
        lease = row.leased_at(self.clock.now())
        if lease is not None:
            self.complete.requeue(envelope, core.lease_retry_time(lease, self.clock.now(), self.randomness.jitter()))
            return None
        if not fresh and (envelope.update.resolved or envelope.id not in snapshot.registered):
            # Acceptance is slower than we are, or someone has just settled or canceled it; a resolved update is
            # registered so late that even one that is canceled may be.
            known = self.repository.get(envelope.id)
            if known is not None and is_stale(known.outcome, envelope):
                if known.outcome.state.final and envelope.id in snapshot.registered:
                    self.user_statuses.withdraw(key, envelope.id)
                return None
        own = Acceptance.of(envelope)
        others = tuple(accepted for accepted in snapshot.accepted if accepted.update_id != envelope.id)
        if not core.is_newer(row, own):
            self.complete.complete_without_write(envelope, known, key, row, own)
            return None
        return self._gather(envelope, known, key, row, replace(snapshot, accepted=(*others, own)))

    def _gather(
        self, envelope: Envelope, known: StoredOutcome | None, key: str, row: UserStatusRow, snapshot: Snapshot
    ) -> Sending:
        outcomes: dict[str, StoredOutcome | None] = {envelope.id: known}
        while unread := core.update_ids(core.pending_values(row, snapshot.accepted)) - outcomes.keys():
            outcomes |= {update_id: self.repository.get(update_id) for update_id in unread}
            done = {one for one in unread if (stored := outcomes[one]) is not None and stored.outcome.state.final}
            for update_id in done:  # registered after it had become final
                self.user_statuses.withdraw(key, update_id)
            alive = tuple(accepted for accepted in snapshot.accepted if accepted.update_id not in done)
            snapshot = replace(snapshot, accepted=alive)
        own = Acceptance.of(envelope)
        return Sending(self.leases.acquire(key, row, snapshot, own), own, outcomes)

    def _act(self, envelope: Envelope, sending: Sending, token: str, leave: Leave) -> None:
        if self._overdue(envelope, sending.known):
            last = sending.outcome.error if sending.outcome else None
            self.complete.failed(envelope, sending, deadline_exceeded(last), ())
            return
        held = sending.held
        values = core.pending_values(held.row, held.accepted)
        step, answers = self._try(envelope, sending, values, token, leave)
        own = core.pending_values(held.row, (sending.own,))
        if isinstance(step, GiveUp) and own != values:
            # A merged write was refused: each update is tried with its own values, and fails alone.
            values = own
            step, more = self._try(envelope, sending, values, token, leave)
            answers += more
        self._obey(step, envelope, sending, values, answers)

    def _try(
        self, envelope: Envelope, sending: Sending, values: Values, token: str, leave: Leave
    ) -> tuple[Step | Deferred, list[GraphCall]]:
        answers, later = self.write(sending, values, token, leave)
        if later is not None:
            return later, answers
        return self._decide(envelope, answers[-1].reply, self._deadline(envelope)), answers

    def _obey(
        self, step: Step | Deferred, envelope: Envelope, sending: Sending, values: Values, answers: list[GraphCall]
    ) -> None:
        match step:
            case Done(result):
                self.complete.delivered(envelope, sending, values, answers, result)
            case GiveUp(error) | DeadlineExceeded(error):
                self.complete.failed(
                    envelope, sending, error.to_json(), answers, landing=may_still_land(answers[-1].reply)
                )
            case RetryAt() if may_still_land(answers[-1].reply):
                # The lease stays: nobody writes this user status until that call can no longer land.
                when = max(step.when, sending.held.lease.until)
                self.complete.retry_later(envelope, sending.known, replace(step, when=when), answers)
            case RetryAt():
                self.complete.retry_later(envelope, sending.known, step, answers)
                sending.held.release()
            case Deferred(when):
                self.complete.requeue(envelope, when)
                sending.held.release()

    def _without_token(self, envelope: Envelope, known: StoredOutcome | None, reply: GraphReply) -> None:
        """No call can be made: it waits, however long, since nothing was tried."""
        self.rate_limiter.report(envelope.user_status_key, reply)
        step = self._decide(envelope, reply, _NEVER)
        if isinstance(step, RetryAt):
            self.complete.retry_later(envelope, known, step, ())

    def _decide(self, envelope: Envelope, reply: GraphReply, deadline: datetime) -> Step:
        return decide(
            reply,
            attempt=envelope.attempt,
            now=self.clock.now(),
            jitter=self.randomness.jitter(),
            policy=self.limits.retry,
            deadline=deadline,
        )

    def _deadline(self, envelope: Envelope) -> datetime:
        return envelope.accepted + self.limits.deadline

    def _overdue(self, envelope: Envelope, known: StoredOutcome | None) -> bool:
        tried = known is not None and known.outcome.attempt_count > 0
        return tried and self.clock.now() >= self._deadline(envelope)
