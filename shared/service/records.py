"""Changing an outcome when others may change it too: read, move, replace, and again if someone was faster."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.core.envelope import Envelope
from shared.core.outcome import Outcome, queued
from shared.service.ports import Clock, Conflict, OutcomeStore, Stored

_TRIES = 10


@dataclass(frozen=True)
class Records:
    """The outcomes, with moves that are safe against others."""

    outcomes: OutcomeStore
    clock: Clock

    def get(self, update_id: str) -> Stored | None:
        """An update's outcome, if it has one."""
        return self.outcomes.get(update_id)

    def move(self, envelope: Envelope, known: Stored | None, change: Callable[[Outcome], Outcome]) -> Outcome:
        """Apply ``change`` unless the outcome is final; makes the outcome where acceptance has not come to it yet."""
        for _ in range(_TRIES):
            outcome = known.outcome if known else queued(envelope, self.clock.now())
            if outcome.state.final:
                return outcome
            changed = change(outcome)
            if self._write(changed, known):
                return changed
            known = self.outcomes.get(envelope.id)
        raise Conflict(envelope.id)

    def _write(self, outcome: Outcome, known: Stored | None) -> bool:
        if known is None:
            return self.outcomes.insert(outcome)
        try:
            self.outcomes.replace(outcome, known.etag)
        except Conflict:
            return False
        return True
