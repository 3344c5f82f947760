"""One update's turn: lease its user status, send what that is owed, write down what came of it.

Gather (snapshot, outcomes), decide (``core``), act. The queue says whose turn it is; the user status's row says what to
send: the newest accepted values that Graph does not have, whoever brought them. What happens when the process dies
between two lines is in ``docs/architecture.md``.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.core import user_status as core
from shared.core.decision import Done, GiveUp, RetryAt, RetryPolicy, Step, decide, may_still_land, wants_new_token
from shared.core.envelope import Envelope
from shared.core.outcome import Attempt, Event, Members, Outcome, advance, deadline_exceeded, overtakes, record
from shared.core.pacing import Slot
from shared.core.reply import Reply
from shared.core.update import user_status_key
from shared.core.user_status import Acceptance, Snapshot, UserStatusRow, Values
from shared.service.gate import Gate, Later
from shared.service.lease import Held, Leases
from shared.service.ports import (
    Answer,
    Chance,
    Clock,
    Conflict,
    Graph,
    Identity,
    IdentityUnavailable,
    Stored,
    UpdateQueue,
    UserStatusStore,
)
from shared.service.records import Records

log = logging.getLogger(__name__)

_TRIES = 5
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Limits:
    """How long an update is tried, and how its attempts are spaced."""

    deadline: timedelta
    retry: RetryPolicy


@dataclass
class Leave:
    """A slot of the quota that this turn may use, until it does."""

    slot: Slot | None


@dataclass(frozen=True)
class Turn:
    """Takes turns; safe to call from any thread of any instance, any number of times."""

    queue: UpdateQueue
    user_statuses: UserStatusStore
    leases: Leases
    records: Records
    graph: Graph
    identity: Identity
    gate: Gate
    clock: Clock
    chance: Chance
    limits: Limits

    def take(self, envelope: Envelope, known: Stored | None, *, fresh: bool = False) -> None:
        """Carry one update as far as it goes now.

        ``known`` is its outcome as just read; ``fresh`` says that it cannot have one, nor be known to anyone else.
        """
        slot = None if self._overdue(envelope, known) else self.gate.enter()
        if isinstance(slot, Later):
            return self._put_back(envelope, slot.when)
        leave = Leave(slot)
        try:
            self._take(envelope, known, leave, fresh=fresh)
        finally:
            if leave.slot is not None:
                self.gate.give_back(leave.slot)

    def _take(self, envelope: Envelope, known: Stored | None, leave: Leave, *, fresh: bool) -> None:
        try:
            token = self.identity.token()
        except IdentityUnavailable as error:
            return self._without_token(envelope, known, Reply(status_code=None, identity_fault=str(error)))
        for _ in range(_TRIES):
            try:
                held = self._lease(envelope, known, fresh=fresh)
            except Conflict:
                continue
            if held is not None:
                return self._act(envelope, held, token, leave)
            return None
        self._put_back(envelope, self.clock.now() + timedelta(seconds=1))
        return None

    # -- gather ------------------------------------------------------------------------------------------------------

    def _lease(self, envelope: Envelope, known: Stored | None, *, fresh: bool) -> "Sending | None":
        """The user status, leased, and what it is owed; None when this update needs no write of its own."""
        key = key_of(envelope)
        snapshot = self.user_statuses.read(key)
        row = snapshot.row or row_of(envelope)
        lease = row.leased_at(self.clock.now())
        if lease is not None:
            self._put_back(envelope, core.come_back(lease, self.clock.now(), self.chance.jitter()))
            return None
        if not fresh and all(accepted.update_id != envelope.id for accepted in snapshot.accepted):
            # Not registered: acceptance is slower than we are, or someone has just settled or canceled it.
            known = self.records.get(envelope.id)
            if known is not None and overtakes(known.outcome, envelope):
                return None
        own = own_acceptance(envelope)
        snapshot = replace(snapshot, accepted=(*others(snapshot, envelope.id), own))
        if not core.brings_news(row, own):
            self._settle(envelope, known, key, row, own)
            return None
        return self._prepare(envelope, known, key, row, snapshot)

    def _prepare(
        self, envelope: Envelope, known: Stored | None, key: str, row: UserStatusRow, snapshot: Snapshot
    ) -> "Sending":
        outcomes: dict[str, Stored | None] = {envelope.id: known}
        while unread := core.winners(core.owed(row, snapshot.accepted)) - outcomes.keys():
            outcomes |= {update_id: self.records.get(update_id) for update_id in unread}
            done = {id_ for id_ in unread if (stored := outcomes[id_]) is not None and stored.outcome.state.final}
            for update_id in done:  # registered after it had become final
                self.user_statuses.withdraw(key, update_id)
            alive = tuple(accepted for accepted in snapshot.accepted if accepted.update_id not in done)
            snapshot = replace(snapshot, accepted=alive)
        held = self.leases.acquire(key, row, snapshot, envelope.id)
        return Sending(held, own_acceptance(envelope), outcomes)

    # -- act ---------------------------------------------------------------------------------------------------------

    def _act(self, envelope: Envelope, sending: "Sending", token: str, leave: Leave) -> None:
        outcome = sending.outcome
        if self._overdue(envelope, sending.outcomes[envelope.id]):
            return self._fail(envelope, sending, deadline_exceeded(outcome.error if outcome else None), ())
        values = core.owed(sending.held.row, sending.held.accepted)
        step, answers = self._write(envelope, sending, values, token, leave)
        own = core.owed(sending.held.row, (sending.own,))
        if isinstance(step, GiveUp) and own != values:
            # A merged write was refused: each update is tried with its own values, and fails alone.
            values = own
            step, more = self._write(envelope, sending, values, token, leave)
            answers += more
        match step:
            case Done(result):
                self._delivered(envelope, sending, values, answers, result)
            case GiveUp(error):
                self._fail(envelope, sending, error.to_json(), answers)
            case RetryAt():
                self._wait(envelope, sending, step, answers)
            case Later(when):
                sending.held.release()
                self._put_back(envelope, when)

    def _write(
        self, envelope: Envelope, sending: "Sending", values: Values, token: str, leave: Leave
    ) -> tuple[Step | Later, list[Answer]]:
        answers: list[Answer] = []
        for last_try in (False, True):
            answer = self._call(sending.held, values, token, leave)
            if isinstance(answer, Later):
                return answer, answers
            answers.append(answer)
            if last_try or not wants_new_token(answer.reply):
                break
            try:
                token = self.identity.fresh_token(token)
            except IdentityUnavailable:
                break
        self.gate.report(sending.held.key, answers[-1].reply)
        return self._decide(envelope, answers[-1].reply, self._deadline(envelope)), answers

    def _call(self, held: Held, values: Values, token: str, leave: Leave) -> Answer | Later:
        """One write on the wire, in a slot of the quota and well within the lease."""
        while True:
            slot, leave.slot = leave.slot or self.gate.enter(), None
            if isinstance(slot, Later):
                return slot
            if not held.covers_a_call_at(datetime.fromtimestamp(slot.closes / 1000, UTC)):
                held.renew()
            if self.gate.wait(slot):
                row = held.row
                return self.graph.patch_user_status(row.policy_id, row.user_status_id, core.plain(values), token=token)

    # -- write down --------------------------------------------------------------------------------------------------

    def _delivered(
        self, envelope: Envelope, sending: "Sending", values: Values, answers: list[Answer], result: Members | None
    ) -> None:
        held = sending.held
        held.confirm(values)
        settled = [accepted for accepted in held.accepted if not core.brings_news(held.row, accepted)]
        attempts = attempts_of(answers)
        gone = [
            accepted.update_id
            for accepted in sorted(settled, key=lambda accepted: accepted.update_id != envelope.id)
            if self._finish(envelope, sending, accepted, attempts, result)
        ]
        held.release(gone)
        log.info("delivered", extra={"update_id": envelope.id, "settled": len(gone)})

    def _finish(
        self, envelope: Envelope, sending: "Sending", accepted: Acceptance,
        attempts: tuple[Attempt, ...], result: Members | None,
    ) -> bool:  # fmt: skip
        """Write one settled update's outcome; False when acceptance has not made it yet: its own turn will."""
        update_id = accepted.update_id
        known = sending.outcomes[update_id] if update_id in sending.outcomes else self.records.get(update_id)
        mine = update_id == envelope.id
        carrier = envelope if mine else known and known.outcome.envelope
        if not carrier:
            return known is not None
        above = core.superseder(sending.held.row, accepted)
        called = attempts if mine or above is None else ()
        now = self.clock.now()

        def settle(outcome: Outcome) -> Outcome:
            return settled_as(record(outcome, called), above, result, now)

        self.records.move(carrier, known, settle)
        return True

    def _settle(self, envelope: Envelope, known: Stored | None, key: str, row: UserStatusRow, own: Acceptance) -> None:
        """Nothing of it is news: newer values stand, or a turn died after it had written these."""
        above, now = core.superseder(row, own), self.clock.now()
        outcome = self.records.move(envelope, known, lambda outcome: settled_as(outcome, above, None, now))
        self.user_statuses.withdraw(key, envelope.id)
        log.info("settled", extra={"update_id": envelope.id, "status_detail": outcome.state.detail})

    def _fail(self, envelope: Envelope, sending: "Sending", error: Members, answers: Iterable[Answer]) -> None:
        now, attempts = self.clock.now(), attempts_of(answers)
        self.records.move(
            envelope, sending.outcomes[envelope.id],
            lambda outcome: advance(record(outcome, attempts), Event.FAIL, now, error=error),
        )  # fmt: skip
        sending.held.release([envelope.id])
        log.warning("failed", extra={"update_id": envelope.id, "code": error["code"]})

    def _wait(self, envelope: Envelope, sending: "Sending", step: RetryAt, answers: list[Answer]) -> None:
        in_doubt = may_still_land(answers[-1].reply)
        if in_doubt:  # the lease stays: nobody writes until that call can no longer land
            step = replace(step, when=max(step.when, sending.held.lease.until))
        self._come_again(envelope, sending.outcomes[envelope.id], step, answers)
        if not in_doubt:
            sending.held.release()

    def _without_token(self, envelope: Envelope, known: Stored | None, reply: Reply) -> None:
        """No call can be made: it waits, however long, since nothing was tried."""
        self.gate.report(key_of(envelope), reply)
        step = self._decide(envelope, reply, _NEVER)
        if isinstance(step, RetryAt):
            self._come_again(envelope, known, step, ())

    def _come_again(self, envelope: Envelope, known: Stored | None, step: RetryAt, answers: Iterable[Answer]) -> None:
        """The next message first: whatever dies after it, the update has a turn to come."""
        again, now, attempts = envelope.next_attempt(), self.clock.now(), attempts_of(answers)
        self.queue.put(again.to_json(), step.when - now)
        self.records.move(
            envelope, known,
            lambda outcome: advance(
                replace(record(outcome, attempts), attempt=max(outcome.attempt, again.attempt)),
                Event.WAIT, now, error=step.error.to_json(), next_attempt=step.when,
            ),
        )  # fmt: skip
        log.info("waiting", extra={"update_id": envelope.id, "code": step.error.code, "attempt": envelope.attempt})

    def _put_back(self, envelope: Envelope, when: datetime) -> None:
        self.queue.put(envelope.to_json(), max(timedelta(0), when - self.clock.now()))

    # -- decide ------------------------------------------------------------------------------------------------------

    def _decide(self, envelope: Envelope, reply: Reply, deadline: datetime) -> Step:
        return decide(
            reply, attempt=envelope.attempt, now=self.clock.now(), jitter=self.chance.jitter(),
            policy=self.limits.retry, deadline=deadline,
        )  # fmt: skip

    def _deadline(self, envelope: Envelope) -> datetime:
        return envelope.accepted + self.limits.deadline

    def _overdue(self, envelope: Envelope, known: Stored | None) -> bool:
        tried = known is not None and known.outcome.attempt_count > 0
        return tried and self.clock.now() >= self._deadline(envelope)


@dataclass(frozen=True)
class Sending:
    """A leased user status, the update whose turn it is, and the outcomes of those whose values may be sent."""

    held: Held
    own: Acceptance
    outcomes: dict[str, Stored | None]

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the update whose turn it is, as last read."""
        stored = self.outcomes[self.own.update_id]
        return stored.outcome if stored else None


def key_of(envelope: Envelope) -> str:
    """The partition of its user status."""
    update = envelope.update
    return user_status_key(update.device_compliance_policy_id, str(update.device_compliance_user_status_id))


def row_of(envelope: Envelope) -> UserStatusRow:
    """The row of a user status at its first turn."""
    update = envelope.update
    return UserStatusRow(update.device_compliance_policy_id, str(update.device_compliance_user_status_id))


def own_acceptance(envelope: Envelope) -> Acceptance:
    """What the update brings."""
    return Acceptance(envelope.id, envelope.ordering, envelope.update.properties())


def others(snapshot: Snapshot, update_id: str) -> tuple[Acceptance, ...]:
    """The acceptances of other updates."""
    return tuple(accepted for accepted in snapshot.accepted if accepted.update_id != update_id)


def settled_as(outcome: Outcome, above: str | None, result: Members | None, now: datetime) -> Outcome:
    """Delivered, or superseded by the update above it."""
    if above is None:
        return advance(outcome, Event.DELIVER, now, result=result)
    return advance(outcome, Event.SUPERSEDE, now, superseded_by=above)


def attempts_of(answers: Iterable[Answer]) -> tuple[Attempt, ...]:
    """Graph calls as an outcome shows them."""
    return tuple(
        Attempt(
            answer.started, answer.duration_milliseconds, answer.reply.status_code, answer.reply.code,
            answer.reply.request_id, answer.reply.client_request_id, answer.reply.retry_after_seconds,
        )
        for answer in answers
    )  # fmt: skip
