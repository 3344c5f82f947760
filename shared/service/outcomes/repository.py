"""Changing outcomes when others may change them too: read, move, replace, and again if someone was faster.

Every change of a state passes here, so this is where states are counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.core.delivery.outcome import Outcome, queued
from shared.core.intake.envelope import Envelope
from shared.service.outcomes.counters import Counters
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Conflict, OutcomeStore, StoredOutcome
from shared.service.ports.telemetry import Telemetry

_TRIES = 10


@dataclass(frozen=True)
class OutcomeRepository:
    """The outcomes, with moves that are safe against others."""

    outcomes: OutcomeStore
    clock: Clock
    counters: Counters
    telemetry: Telemetry

    def get(self, update_id: str) -> StoredOutcome | None:
        """Return an update's outcome; None when it has none."""
        return self.outcomes.get(update_id)

    def insert(self, outcome: Outcome) -> StoredOutcome | None:
        """Return the outcome as stored; None when its update has one already."""
        etag = self.outcomes.insert(outcome)
        if etag is None:
            return None
        self._moved(None, outcome)
        return StoredOutcome(outcome, etag)

    def insert_all(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Insert many; return the ids of updates that had an outcome already."""
        if len(outcomes) == 1:
            return [] if self.insert(outcomes[0]) else [outcomes[0].id]
        there = self.outcomes.insert_all(outcomes)
        for outcome in outcomes:
            if outcome.id not in there:
                self._moved(None, outcome)
        return sorted(there)

    def move(self, envelope: Envelope, known: StoredOutcome | None, change: Callable[[Outcome], Outcome]) -> Outcome:
        """Apply ``change`` unless the outcome is final; insert the outcome where acceptance has not done it yet."""
        for _ in range(_TRIES):
            outcome = known.outcome if known else queued(envelope, self.clock.now())
            if outcome.state.final:
                return outcome
            changed = change(outcome)
            if self.write(changed, known):
                return changed
            known = self.outcomes.get(envelope.id)
        raise Conflict(envelope.id)

    def write(self, outcome: Outcome, known: StoredOutcome | None) -> bool:
        """Put it in the place of what is known (None: there was nothing); False when someone was faster."""
        if known is None:
            return self.insert(outcome) is not None
        try:
            self.outcomes.replace(outcome, known.etag)
        except Conflict:
            return False
        self._moved(known.outcome, outcome)
        return True

    def _moved(self, before: Outcome | None, after: Outcome) -> None:
        self.counters.outcome_changed(before, after)
        self.telemetry.outcome_changed(after)
