"""Writing down what came of a turn: outcomes, the user status's row, and the next message where there is one."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.delivery import user_status as core
from shared.core.delivery.outcome import Attempt, Members, Outcome, Transition, advance, record
from shared.core.delivery.retry import RetryAt
from shared.core.delivery.user_status import Acceptance, UserStatusRow, Values
from shared.core.intake.envelope import Envelope
from shared.service.delivery.write import Sending
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.graph import GraphCall
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import StoredOutcome, UpdateQueue, UserStatusStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Complete:
    """Every method leaves a state from which a repeated turn goes on, whatever dies in it."""

    queue: UpdateQueue
    user_statuses: UserStatusStore
    repository: OutcomeRepository
    clock: Clock

    def delivered(
        self, envelope: Envelope, sending: Sending, values: Values, answers: list[GraphCall], result: Members | None
    ) -> None:
        """Graph has these values. The row learns it first; then everyone whom that settles gets an outcome."""
        held = sending.held
        held.confirm(values)
        settled = [accepted for accepted in held.accepted if not core.is_newer(held.row, accepted)]
        attempts = attempts_from(answers)
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
        known = sending.outcomes[update_id] if update_id in sending.outcomes else self.repository.get(update_id)
        carrier = envelope if mine else known and known.outcome.envelope
        if not carrier:
            return known is not None
        above = core.superseding_update(sending.held.row, accepted)
        called = attempts if mine or above is None else ()
        now = self.clock.now()
        self.repository.move(carrier, known, lambda outcome: completed(record(outcome, called), above, result, now))
        return True

    def complete_without_write(
        self, envelope: Envelope, known: StoredOutcome | None, key: str, row: UserStatusRow, own: Acceptance
    ) -> None:
        """Nothing of it is news: newer values stand, or a turn died after it had written these."""
        above, now = core.superseding_update(row, own), self.clock.now()
        outcome = self.repository.move(envelope, known, lambda outcome: completed(outcome, above, None, now))
        self.user_statuses.withdraw(key, envelope.id)
        log.info("settled", extra={"update_id": envelope.id, "status_detail": outcome.state.detail})

    def failed(
        self,
        envelope: Envelope,
        sending: Sending,
        error: Members,
        answers: Iterable[GraphCall],
        *,
        landing: bool = False,
    ) -> None:
        """For good; its values are withdrawn. The lease stays while a call may still land."""
        now, attempts = self.clock.now(), attempts_from(answers)
        self.repository.move(
            envelope,
            sending.known,
            lambda outcome: advance(record(outcome, attempts), Transition.FAIL, now, error=error),
        )
        if landing:
            self.user_statuses.withdraw(sending.held.key, envelope.id)
        else:
            sending.held.release([envelope.id])
        log.warning("failed", extra={"update_id": envelope.id, "code": error["code"]})

    def retry_later(
        self, envelope: Envelope, known: StoredOutcome | None, step: RetryAt, answers: Iterable[GraphCall]
    ) -> None:
        """The next message first: whatever dies after it, the update has a turn to come."""
        again, now, attempts = envelope.next_attempt(), self.clock.now(), attempts_from(answers)
        self.queue.put(again.to_json(), step.when - now)

        def wait(outcome: Outcome) -> Outcome:
            numbered = replace(record(outcome, attempts), attempt=max(outcome.attempt, again.attempt))
            return advance(numbered, Transition.WAIT, now, error=step.error.to_json(), next_attempt=step.when)

        self.repository.move(envelope, known, wait)
        log.info("waiting", extra={"update_id": envelope.id, "code": step.error.code, "attempt": envelope.attempt})

    def requeue(self, envelope: Envelope, when: datetime) -> None:
        """The same message again, later: it was not tried."""
        self.queue.put(envelope.to_json(), max(timedelta(0), when - self.clock.now()))


def completed(outcome: Outcome, above: str | None, result: Members | None, now: datetime) -> Outcome:
    """Delivered, or superseded by the update above it."""
    if above is None:
        return advance(outcome, Transition.DELIVER, now, result=result)
    return advance(outcome, Transition.SUPERSEDE, now, superseded_by=above)


def attempts_from(answers: Iterable[GraphCall]) -> tuple[Attempt, ...]:
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
