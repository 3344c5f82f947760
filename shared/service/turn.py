"""One update's turn: lease its user status, send what that is owed, write down what came of it.

Gather (snapshot, outcomes), decide (``core``), act. The queue says whose turn it is; the user status's row says what to
send: the newest accepted values that Graph does not have, whoever brought them. What happens when the process dies
between two lines is in ``docs/architecture.md``.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.core import user_status as core
from shared.core.decision import Done, GiveUp, RetryAt, RetryPolicy, Step, decide, may_still_land
from shared.core.envelope import Envelope
from shared.core.outcome import deadline_exceeded, overtakes
from shared.core.registration import acceptance_of, key_of, row_of
from shared.core.reply import Reply
from shared.core.user_status import Snapshot, UserStatusRow, Values
from shared.service.gate import Gate, Later
from shared.service.lease import Leases
from shared.service.ports import Answer, Chance, Clock, Conflict, Identity, IdentityUnavailable, Stored, UserStatusStore
from shared.service.records import Records
from shared.service.sending import Leave, Sending, Write
from shared.service.settle import Settle

_TRIES = 5
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Limits:
    """How long an update is tried, and how its attempts are spaced."""

    deadline: timedelta
    retry: RetryPolicy


@dataclass(frozen=True)
class Turn:
    """Takes turns; safe to call from any thread of any instance, any number of times."""

    user_statuses: UserStatusStore
    leases: Leases
    records: Records
    identity: Identity
    gate: Gate
    write: Write
    settle: Settle
    clock: Clock
    chance: Chance
    limits: Limits

    def take(self, envelope: Envelope, known: Stored | None, *, fresh: bool = False) -> None:
        """Carry one update as far as it goes now.

        ``known`` is its outcome as just read; ``fresh`` says that it cannot have one, nor be known to anyone else.
        """
        slot = None if self._overdue(envelope, known) else self.gate.enter()
        if isinstance(slot, Later):
            self.settle.put_back(envelope, slot.when)
            return
        leave = Leave(slot)
        try:
            self._take(envelope, known, leave, fresh=fresh)
        finally:
            if leave.slot is not None:
                self.gate.give_back(leave.slot)

    def _take(self, envelope: Envelope, known: Stored | None, leave: Leave, *, fresh: bool) -> None:
        try:
            # What is overdue fails without a call, so also without a token.
            token = "" if leave.slot is None else self.identity.token()
        except IdentityUnavailable as error:
            self._without_token(envelope, known, Reply(status_code=None, identity_fault=str(error)))
            return
        for _ in range(_TRIES):
            try:
                sending = self._lease(envelope, known, fresh=fresh)
            except Conflict:
                continue
            if sending is not None:
                self._act(envelope, sending, token, leave)
            return
        self.settle.put_back(envelope, self.clock.now() + timedelta(seconds=1))

    def _lease(self, envelope: Envelope, known: Stored | None, *, fresh: bool) -> Sending | None:
        """The user status, leased, and what it is owed; None when this update needs no write of its own."""
        key = key_of(envelope)
        snapshot = self.user_statuses.read(key)
        row = snapshot.row or row_of(envelope)
        lease = row.leased_at(self.clock.now())
        if lease is not None:
            self.settle.put_back(envelope, core.come_back(lease, self.clock.now(), self.chance.jitter()))
            return None
        if not fresh and (envelope.update.resolved or envelope.id not in snapshot.registered):
            # Acceptance is slower than we are, or someone has just settled or canceled it; a resolved update is
            # registered so late that even one that is canceled may be.
            known = self.records.get(envelope.id)
            if known is not None and overtakes(known.outcome, envelope):
                if known.outcome.state.final and envelope.id in snapshot.registered:
                    self.user_statuses.withdraw(key, envelope.id)
                return None
        own = acceptance_of(envelope)
        others = tuple(accepted for accepted in snapshot.accepted if accepted.update_id != envelope.id)
        if not core.brings_news(row, own):
            self.settle.without_write(envelope, known, key, row, own)
            return None
        return self._gather(envelope, known, key, row, replace(snapshot, accepted=(*others, own)))

    def _gather(
        self, envelope: Envelope, known: Stored | None, key: str, row: UserStatusRow, snapshot: Snapshot
    ) -> Sending:
        outcomes: dict[str, Stored | None] = {envelope.id: known}
        while unread := core.winners(core.owed(row, snapshot.accepted)) - outcomes.keys():
            outcomes |= {update_id: self.records.get(update_id) for update_id in unread}
            done = {one for one in unread if (stored := outcomes[one]) is not None and stored.outcome.state.final}
            for update_id in done:  # registered after it had become final
                self.user_statuses.withdraw(key, update_id)
            alive = tuple(accepted for accepted in snapshot.accepted if accepted.update_id not in done)
            snapshot = replace(snapshot, accepted=alive)
        own = acceptance_of(envelope)
        return Sending(self.leases.acquire(key, row, snapshot, own), own, outcomes)

    def _act(self, envelope: Envelope, sending: Sending, token: str, leave: Leave) -> None:
        if self._overdue(envelope, sending.known):
            last = sending.outcome.error if sending.outcome else None
            self.settle.failed(envelope, sending, deadline_exceeded(last), ())
            return
        held = sending.held
        values = core.owed(held.row, held.accepted)
        step, answers = self._try(envelope, sending, values, token, leave)
        own = core.owed(held.row, (sending.own,))
        if isinstance(step, GiveUp) and own != values:
            # A merged write was refused: each update is tried with its own values, and fails alone.
            values = own
            step, more = self._try(envelope, sending, values, token, leave)
            answers += more
        self._obey(step, envelope, sending, values, answers)

    def _try(
        self, envelope: Envelope, sending: Sending, values: Values, token: str, leave: Leave
    ) -> tuple[Step | Later, list[Answer]]:
        answers, later = self.write(sending, values, token, leave)
        if later is not None:
            return later, answers
        return self._decide(envelope, answers[-1].reply, self._deadline(envelope)), answers

    def _obey(
        self, step: Step | Later, envelope: Envelope, sending: Sending, values: Values, answers: list[Answer]
    ) -> None:
        match step:
            case Done(result):
                self.settle.delivered(envelope, sending, values, answers, result)
            case GiveUp(error):
                self.settle.failed(envelope, sending, error.to_json(), answers)
            case RetryAt() if may_still_land(answers[-1].reply):
                # The lease stays: nobody writes this user status until that call can no longer land.
                when = max(step.when, sending.held.lease.until)
                self.settle.come_again(envelope, sending.known, replace(step, when=when), answers)
            case RetryAt():
                self.settle.come_again(envelope, sending.known, step, answers)
                sending.held.release()
            case Later(when):
                self.settle.put_back(envelope, when)
                sending.held.release()

    def _without_token(self, envelope: Envelope, known: Stored | None, reply: Reply) -> None:
        """No call can be made: it waits, however long, since nothing was tried."""
        self.gate.report(key_of(envelope), reply)
        step = self._decide(envelope, reply, _NEVER)
        if isinstance(step, RetryAt):
            self.settle.come_again(envelope, known, step, ())

    def _decide(self, envelope: Envelope, reply: Reply, deadline: datetime) -> Step:
        return decide(
            reply,
            attempt=envelope.attempt,
            now=self.clock.now(),
            jitter=self.chance.jitter(),
            policy=self.limits.retry,
            deadline=deadline,
        )

    def _deadline(self, envelope: Envelope) -> datetime:
        return envelope.accepted + self.limits.deadline

    def _overdue(self, envelope: Envelope, known: Stored | None) -> bool:
        tried = known is not None and known.outcome.attempt_count > 0
        return tried and self.clock.now() >= self._deadline(envelope)
