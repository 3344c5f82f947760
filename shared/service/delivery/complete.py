"""Write down what came of a turn: messages, the user status's row, outcomes, and the end of the lease.

One order for every end, whatever dies in it: first the message of a turn to come, then the row that knows what Graph
has, then the outcomes, then the lease. Only one question decides about the lease: may a call of this turn still land?
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from shared.core.delivery.outcome import Attempt, Members, Outcome, Transition, advance, record
from shared.core.delivery.retry import RetryAt
from shared.core.delivery.user_status import Acceptance, superseding_update
from shared.core.intake.envelope import Envelope
from shared.service.delivery.read_outcomes import ReadOutcomes
from shared.service.delivery.turn import Turn
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.graph import GraphCall
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import StoredOutcome
from shared.service.queues import Queues
from shared.service.rate_limiter import Deferred

log = logging.getLogger(__name__)

type Change = Callable[[Outcome], Outcome]
#: Outcomes written between two looks at the lease.
_SETTLED_AT_ONCE = 500


@dataclass(frozen=True)
class Complete:
    """Every method leaves a state from which a repeated turn goes on, whatever dies in it."""

    queues: Queues
    read_outcomes: ReadOutcomes
    repository: OutcomeRepository
    clock: Clock
    verify_after: timedelta | None = None

    def __call__(self, turn: Turn, later: RetryAt | Deferred | None) -> None:
        """Complete a turn whose values have to wait until ``later``; None where nothing has to."""
        waits = turn.open and not turn.stale
        self._put_next(turn, later, waits=waits)
        covered = turn.covered()
        if turn.failed or any(acceptance.update_id != turn.id for acceptance in covered):
            turn.claim.save()
            settled = self._settle(turn, covered)
            self._wait(turn, later, waits=waits)
            turn.claim.release(turn.ended | settled, landing=turn.landing)
        elif covered:  # this turn's own alone: the row that covers it needs no lease any more
            turn.claim.release({*turn.ended, turn.id}, landing=turn.landing)
            settled = self._settle(turn, covered)
        else:
            settled = set()
            self._wait(turn, later, waits=waits)
            turn.claim.release(turn.ended, landing=turn.landing)
        _log_end(turn, settled)

    def retry_later(
        self, envelope: Envelope, known: StoredOutcome | None, step: RetryAt, calls: Iterable[GraphCall]
    ) -> None:
        """Put the message of the next attempt, then let the outcome say that the update waits for it."""
        again = envelope.next_attempt()
        self.queues.put(again, step.when - self.clock.now())
        self._waiting(envelope, known, step, calls)

    def requeue(self, envelope: Envelope, when: datetime) -> None:
        """Put the same message again, for later: it was not tried."""
        self.queues.put(envelope, when - self.clock.now())

    def _put_next(self, turn: Turn, later: RetryAt | Deferred | None, *, waits: bool) -> None:
        """The next message first: whatever dies after it, the update has a turn to come, and so have lost values."""
        envelope = turn.envelope
        when = later.when if later is not None else self.clock.now()
        if turn.landing:
            when = max(when, turn.claim.landed)
        if isinstance(later, RetryAt):
            envelope = envelope.next_attempt()
        if waits or (turn.lost() and (turn.id in turn.failed or (turn.final and later is not None))):
            self.requeue(envelope, when)

    def _wait(self, turn: Turn, later: RetryAt | Deferred | None, *, waits: bool) -> None:
        if waits and isinstance(later, RetryAt):
            when = max(later.when, turn.claim.landed) if turn.landing else later.when
            self._waiting(turn.envelope, turn.known, replace(later, when=when), turn.calls_of(turn.id))

    def _waiting(
        self, envelope: Envelope, known: StoredOutcome | None, step: RetryAt, calls: Iterable[GraphCall]
    ) -> None:
        now, attempts, next_attempt = self.clock.now(), attempts_from(calls), envelope.attempt + 1

        def wait(outcome: Outcome) -> Outcome:
            numbered = replace(record(outcome, attempts), attempt=max(outcome.attempt, next_attempt))
            return advance(numbered, Transition.WAIT, now, error=step.error.to_json(), next_attempt=step.when)

        self.repository.move(envelope, known, wait)
        log.info("waiting", extra={"update_id": envelope.id, "code": step.error.code, "attempt": envelope.attempt})

    def _settle(self, turn: Turn, covered: Iterable[Acceptance]) -> set[str]:
        """Write the outcomes of all that end here; return their ids."""
        now = self.clock.now()
        changes = {acceptance.update_id: self._completing(turn, acceptance, now) for acceptance in covered}
        changes |= {update_id: _failing(turn, update_id, error, now) for update_id, error in turn.failed.items()}
        settled: set[str] = set()
        if turn.id in changes:
            own = self.repository.move(turn.envelope, turn.known, changes.pop(turn.id))
            settled.add(turn.id)
            if not turn.calls and not turn.failed:
                log.info("settled", extra={"update_id": turn.id, "status_detail": own.state.detail})
        self.read_outcomes(turn, changes)
        for some in batched(changes.items(), _SETTLED_AT_ONCE, strict=False):
            turn.claim.keep()
            settled |= self._change_all(turn, dict(some))
        return settled

    def _completing(self, turn: Turn, acceptance: Acceptance, now: datetime) -> Change:
        update_id = acceptance.update_id
        attempts, result = attempts_from(turn.calls_of(update_id)), turn.result_of(update_id)
        above = superseding_update(turn.claim.row, acceptance)
        return lambda outcome: completed(record(outcome, attempts), above, result, now, self.verify_after)

    def _change_all(self, turn: Turn, changes: Mapping[str, Change]) -> set[str]:
        """Change outcomes; return the ids of those that are final then. Leave one that acceptance has not made yet."""
        known = {update_id: stored for update_id in changes if (stored := turn.outcomes[update_id]) is not None}
        open_ = {update_id: stored for update_id, stored in known.items() if not stored.outcome.state.final}
        missed = self.repository.write_all(
            [(stored, changes[update_id](stored.outcome)) for update_id, stored in open_.items()]
        )
        for update_id in sorted(missed):
            envelope = open_[update_id].outcome.envelope
            if envelope is not None:
                self.repository.move(envelope, self.repository.get(update_id), changes[update_id])
        now = self.clock.now()
        abandoned = {
            update_id
            for update_id in changes.keys() - known.keys()
            if update_id in turn.claim.accepted and turn.claim.accepted[update_id].abandoned_at(now)
        }
        return {*known, *abandoned}


def _failing(turn: Turn, update_id: str, error: Members, now: datetime) -> Change:
    attempts = attempts_from(turn.calls_of(update_id))
    return lambda outcome: advance(record(outcome, attempts), Transition.FAIL, now, error=error)


def completed(
    outcome: Outcome, above: str | None, result: Members | None, now: datetime, verify_after: timedelta | None
) -> Outcome:
    """Return the outcome as delivered, to be verified later, or as superseded by the update ``above`` it."""
    if above is None:
        verify_at = None if verify_after is None else now + verify_after
        return advance(outcome, Transition.DELIVER, now, result=result, verify_at=verify_at)
    return advance(outcome, Transition.SUPERSEDE, now, superseded_by=above)


def attempts_from(calls: Iterable[GraphCall]) -> tuple[Attempt, ...]:
    """Return Graph calls as an outcome shows them."""
    return tuple(
        Attempt(
            started=call.started,
            duration_milliseconds=call.duration_milliseconds,
            status_code=call.reply.status_code,
            code=call.reply.code,
            request_id=call.reply.request_id,
            client_request_id=call.reply.client_request_id,
            retry_after_seconds=call.reply.retry_after_seconds,
        )
        for call in calls
    )


def _log_end(turn: Turn, settled: set[str]) -> None:
    for update_id, error in turn.failed.items():
        log.warning("failed", extra={"update_id": update_id, "code": error["code"]})
    if turn.calls and turn.id in settled - turn.failed.keys():
        log.info("delivered", extra={"update_id": turn.id, "settled": len(settled)})
    elif turn.final or turn.stale:
        log.info("dropped", extra={"update_id": turn.id})
