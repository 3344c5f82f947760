"""Writing down what came of a turn: outcomes, the user status's row, and the next message where there is one."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core import user_status as core
from shared.core.decision import RetryAt
from shared.core.envelope import Envelope
from shared.core.outcome import Attempt, Event, Members, Outcome, advance, record
from shared.core.user_status import Acceptance, UserStatusRow, Values
from shared.service.ports import Answer, Clock, Stored, UpdateQueue, UserStatusStore
from shared.service.records import Records
from shared.service.sending import Sending

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settle:
    """Every method leaves a state from which a repeated turn goes on, whatever dies in it."""

    queue: UpdateQueue
    user_statuses: UserStatusStore
    records: Records
    clock: Clock

    def delivered(
        self, envelope: Envelope, sending: Sending, values: Values, answers: list[Answer], result: Members | None
    ) -> None:
        """Graph has these values. The row learns it first; then everyone whom that settles gets an outcome."""
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
        self,
        envelope: Envelope,
        sending: Sending,
        accepted: Acceptance,
        attempts: tuple[Attempt, ...],
        result: Members | None,
    ) -> bool:
        """False when acceptance has not made the outcome yet: the update's own turn will settle it."""
        update_id = accepted.update_id
        mine = update_id == envelope.id
        known = sending.outcomes[update_id] if update_id in sending.outcomes else self.records.get(update_id)
        carrier = envelope if mine else known and known.outcome.envelope
        if not carrier:
            return known is not None
        above = core.superseder(sending.held.row, accepted)
        called = attempts if mine or above is None else ()
        now = self.clock.now()
        self.records.move(carrier, known, lambda outcome: settled_as(record(outcome, called), above, result, now))
        return True

    def without_write(
        self, envelope: Envelope, known: Stored | None, key: str, row: UserStatusRow, own: Acceptance
    ) -> None:
        """Nothing of it is news: newer values stand, or a turn died after it had written these."""
        above, now = core.superseder(row, own), self.clock.now()
        outcome = self.records.move(envelope, known, lambda outcome: settled_as(outcome, above, None, now))
        self.user_statuses.withdraw(key, envelope.id)
        log.info("settled", extra={"update_id": envelope.id, "status_detail": outcome.state.detail})

    def failed(self, envelope: Envelope, sending: Sending, error: Members, answers: Iterable[Answer]) -> None:
        """For good; its values are withdrawn."""
        now, attempts = self.clock.now(), attempts_of(answers)
        self.records.move(
            envelope,
            sending.known,
            lambda outcome: advance(record(outcome, attempts), Event.FAIL, now, error=error),
        )
        sending.held.release([envelope.id])
        log.warning("failed", extra={"update_id": envelope.id, "code": error["code"]})

    def come_again(self, envelope: Envelope, known: Stored | None, step: RetryAt, answers: Iterable[Answer]) -> None:
        """The next message first: whatever dies after it, the update has a turn to come."""
        again, now, attempts = envelope.next_attempt(), self.clock.now(), attempts_of(answers)
        self.queue.put(again.to_json(), step.when - now)

        def wait(outcome: Outcome) -> Outcome:
            numbered = replace(record(outcome, attempts), attempt=max(outcome.attempt, again.attempt))
            return advance(numbered, Event.WAIT, now, error=step.error.to_json(), next_attempt=step.when)

        self.records.move(envelope, known, wait)
        log.info("waiting", extra={"update_id": envelope.id, "code": step.error.code, "attempt": envelope.attempt})

    def put_back(self, envelope: Envelope, when: datetime) -> None:
        """The same message again, later: it was not tried."""
        self.queue.put(envelope.to_json(), max(timedelta(0), when - self.clock.now()))


def settled_as(outcome: Outcome, above: str | None, result: Members | None, now: datetime) -> Outcome:
    """Delivered, or superseded by the update above it."""
    if above is None:
        return advance(outcome, Event.DELIVER, now, result=result)
    return advance(outcome, Event.SUPERSEDE, now, superseded_by=above)


def attempts_of(answers: Iterable[Answer]) -> tuple[Attempt, ...]:
    """Graph calls as an outcome shows them."""
    return tuple(
        Attempt(
            started=answer.started,
            duration_milliseconds=answer.duration_milliseconds,
            status_code=answer.reply.status_code,
            code=answer.reply.code,
            request_id=answer.reply.request_id,
            client_request_id=answer.reply.client_request_id,
            retry_after_seconds=answer.reply.retry_after_seconds,
        )
        for answer in answers
    )
