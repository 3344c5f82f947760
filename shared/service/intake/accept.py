"""Taking updates in: reserve idempotency keys, put them on the queue, register their values, make their outcomes.

In this order, so that whatever dies in between, either the message is not there (the caller repeats: same key, same id)
or it is, and the consumer writes what is missing.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from shared.core.basics.trace import Origin
from shared.core.basics.update_id import new_update_id
from shared.core.delivery.outcome import Outcome, queued
from shared.core.delivery.user_status import Acceptance
from shared.core.intake.bundle import packed
from shared.core.intake.envelope import Envelope
from shared.core.intake.update import Update
from shared.service.intake.idempotency import KeyConflict, reserve, reserve_all
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock, ConcurrentMap, Randomness
from shared.service.ports.storage import IdempotencyStore, Unavailable, UserStatusStore
from shared.service.ports.telemetry import Telemetry
from shared.service.queues import Queues

log = logging.getLogger(__name__)

NOWHERE = Origin()


@dataclass(frozen=True)
class Accepted:
    """The update is on the queue; ``repeated`` says that an earlier request with this key had put it there."""

    outcome: Outcome
    repeated: bool = False


@dataclass(frozen=True)
class NotQueued:
    """Storage could not take it: nothing was accepted."""

    why: str


type AcceptResult = Accepted | KeyConflict | NotQueued


@dataclass(frozen=True)
class Accept:
    """Accepts updates, one or many."""

    queues: Queues
    user_statuses: UserStatusStore
    repository: OutcomeRepository
    keys: IdempotencyStore
    clock: Clock
    randomness: Randomness
    each: ConcurrentMap
    telemetry: Telemetry

    def __call__(
        self, update: Update, *, submitted_by: str | None = None, origin: Origin = NOWHERE
    ) -> Accepted | KeyConflict:
        """Accept one update: three storage calls, four with a key. Raise ``Unavailable``: nothing was accepted."""
        (verdict,) = self.all((update,), submitted_by=submitted_by, origin=origin)
        if isinstance(verdict, NotQueued):
            raise Unavailable(verdict.why)
        return verdict

    def all(
        self, updates: Sequence[Update], *, submitted_by: str | None = None, origin: Origin = NOWHERE
    ) -> list[AcceptResult]:
        """Return a verdict for each, in order; no fault of one update touches another.

        Of one key's repeats the first is first; of one user's values without a report's time the last stand.
        """
        # Sorted: within a millisecond chance must not decide which of them is the later one.
        ids = sorted(new_update_id(self.clock.now(), self.randomness.bits()) for _ in updates)
        envelopes = [
            Envelope(update_id, 1, update, submitted_by=submitted_by)
            for update_id, update in zip(ids, updates, strict=True)
        ]
        reserved = self._all_reserved(envelopes)
        outcomes = self.enqueue([verdict for verdict in reserved if isinstance(verdict, Envelope)], origin)
        return [
            self._verdict(envelope, verdict, outcomes) if isinstance(verdict, Envelope) else verdict
            for envelope, verdict in zip(envelopes, reserved, strict=True)
        ]

    def enqueue(self, envelopes: Iterable[Envelope], origin: Origin = NOWHERE) -> dict[str, Outcome | NotQueued]:
        """Put updates on their way, by id; tables that are down are no reason to refuse them."""
        unique = {envelope.id: envelope for envelope in envelopes}
        normal = [(envelope,) for envelope in unique.values() if not envelope.update.bulk]
        messages = [*normal, *packed([envelope for envelope in unique.values() if envelope.update.bulk])]
        put = self.each(lambda message: self._queued(message, origin), messages)
        results = {update_id: result for message in put for update_id, result in message.items()}
        on_queue = [unique[update_id] for update_id, result in results.items() if isinstance(result, Outcome)]
        self._register([envelope for envelope in on_queue if envelope.update.device_compliance_user_status_id])
        self._record([result for result in results.values() if isinstance(result, Outcome)])
        return results

    def _all_reserved(self, envelopes: list[Envelope]) -> list[Envelope | AcceptResult]:
        """Return the envelopes to enqueue, or why there is none, in order."""
        new = {envelope.id for envelope in envelopes}
        try:
            single = len(envelopes) == 1
            firsts = [reserve(self.keys, envelopes[0])] if single else reserve_all(self.keys, envelopes)
        except Unavailable as error:
            return [NotQueued(str(error)) for _ in envelopes]

        def verdict(first: Envelope | KeyConflict) -> Envelope | AcceptResult:
            return self._repeated(first) if isinstance(first, Envelope) and first.id not in new else first

        return self.each(verdict, firsts)

    def _repeated(self, first: Envelope) -> Envelope | AcceptResult:
        try:
            # Without an outcome nothing proves that the first was queued: it is queued again, under the same id.
            known = self.repository.get(first.id)
        except Unavailable as error:
            return NotQueued(str(error))
        return first if known is None else Accepted(known.outcome, repeated=True)

    def _queued(self, message: Sequence[Envelope], origin: Origin) -> dict[str, Outcome | NotQueued]:
        """Put one queue message with these updates; return what became of each, by id."""
        try:
            with ExitStack() as spans:
                traced = [self._traced(envelope, origin, spans) for envelope in message]
                self.queues.put_together(traced)
        except Unavailable as error:
            return {envelope.id: NotQueued(str(error)) for envelope in message}
        now = self.clock.now()
        return {envelope.id: queued(envelope, now) for envelope in traced}

    def _traced(self, envelope: Envelope, origin: Origin, spans: ExitStack) -> Envelope:
        here = spans.enter_context(self.telemetry.put(envelope.id, origin.trace(envelope.trace)))
        return replace(envelope, traceparent=here)

    def _register(self, envelopes: list[Envelope]) -> None:
        acceptances = [(envelope.user_status_key, Acceptance.of(envelope)) for envelope in envelopes]
        ids = [envelope.id for envelope in envelopes]
        if len(acceptances) == 1:
            self._if_possible(lambda: self.user_statuses.register(*acceptances[0]), ids)
        elif acceptances:
            self._if_possible(lambda: self.user_statuses.register_all(acceptances), ids)

    def _record(self, outcomes: list[Outcome]) -> None:
        overtaken: list[str] = []
        ids = [outcome.id for outcome in outcomes]
        self._if_possible(lambda: overtaken.extend(self.repository.insert_all(outcomes)), ids)
        self.each(lambda update_id: self._if_possible(lambda: self._withdraw(update_id), [update_id]), overtaken)

    def _withdraw(self, update_id: str) -> None:
        known = self.repository.get(update_id)
        envelope = known and known.outcome.envelope
        if known and envelope and known.outcome.state.final and envelope.update.device_compliance_user_status_id:
            # The consumer was faster: nothing is owed any more.
            self.user_statuses.withdraw(envelope.user_status_key, update_id)

    def _if_possible(self, write: Callable[[], Any], update_ids: Iterable[str]) -> None:
        try:
            write()
        except Unavailable as error:
            for update_id in update_ids:
                log.warning("left to the consumer", extra={"update_id": update_id, "reason": str(error)})

    def _verdict(self, envelope: Envelope, first: Envelope, outcomes: dict[str, Outcome | NotQueued]) -> AcceptResult:
        outcome = outcomes[first.id]
        return outcome if isinstance(outcome, NotQueued) else Accepted(outcome, repeated=first.id != envelope.id)
