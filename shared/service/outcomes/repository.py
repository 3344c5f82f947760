"""Changing outcomes when others may change them too: read, move, replace, and again if someone was faster.

Every change of a state passes here, so this is where states are counted, and where notices of final ones begin.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from shared.core.delivery.outcome import Outcome, queued
from shared.core.intake.envelope import Envelope
from shared.service.compare_and_swap import compare_and_swap
from shared.service.outcomes.counters import Counters
from shared.service.outcomes.outbox import Outbox
from shared.service.ports.pauses import PauseStore
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Conflict, OutcomeStore, StoredOutcome, Unavailable
from shared.service.ports.telemetry import Telemetry

log = logging.getLogger(__name__)

_UNLIKE_ANY = object()


@dataclass(frozen=True)
class _Move:
    """A change of an outcome, for those who count: None where it was made."""

    before: Outcome | None


@dataclass(frozen=True)
class OutcomeRepository:
    """The outcomes, with moves that are safe against others."""

    outcomes: OutcomeStore
    clock: Clock
    counters: Counters
    telemetry: Telemetry
    outbox: Outbox
    pauses: PauseStore

    def get(self, update_id: str) -> StoredOutcome | None:
        """Return an update's outcome; None when it has none."""
        return self.outcomes.get(update_id)

    def insert(self, outcome: Outcome) -> StoredOutcome | None:
        """Return the outcome as stored; None when its update has one already."""
        outcome = self.outbox.marked(None, outcome)
        etag = self.outcomes.insert(outcome)
        if etag is None:
            return None
        self._moved(None, outcome)
        self.outbox.announce((outcome,))
        return StoredOutcome(outcome, etag)

    def insert_all(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Insert many; return the ids of updates that had an outcome already."""
        if len(outcomes) == 1:
            return [] if self.insert(outcomes[0]) else [outcomes[0].id]
        outcomes = [self.outbox.marked(None, outcome) for outcome in outcomes]
        there = self.outcomes.insert_all(outcomes)
        made = [outcome for outcome in outcomes if outcome.id not in there]
        for outcome in made:
            self._moved(None, outcome)
        self.outbox.announce(made)
        return sorted(there)

    def move(self, envelope: Envelope, known: StoredOutcome | None, change: Callable[[Outcome], Outcome]) -> Outcome:
        """Apply ``change`` unless the outcome is final; insert the outcome where acceptance has not done it yet."""
        reads = chain([known], iter(lambda: self.outcomes.get(envelope.id), _UNLIKE_ANY))
        stored: StoredOutcome | None = None
        move: _Move | None = None

        def read() -> tuple[Outcome, StoredOutcome | None]:
            nonlocal stored
            stored = next(reads)
            return stored.outcome if stored else queued(envelope, self.clock.now()), stored

        def changed(outcome: Outcome) -> Outcome:
            nonlocal move
            move = None if outcome.state.final else _Move(stored.outcome if stored else None)
            return self.outbox.marked(outcome, change(outcome)) if move else outcome

        def write(outcome: Outcome, stored: StoredOutcome | None) -> None:
            if stored is not None:
                self.outcomes.replace(outcome, stored.etag)
            elif self.outcomes.insert(outcome) is None:
                raise Conflict(envelope.id)

        after = compare_and_swap(read, changed, write)
        if move is not None:
            self._moved(move.before, after)
            self.outbox.announce((after,))
        return after

    def write(self, outcome: Outcome, known: StoredOutcome | None) -> bool:
        """Put it in the place of what is known (None: there was nothing); False when someone was faster."""
        if known is None:
            return self.insert(outcome) is not None
        outcome = self.outbox.marked(known.outcome, outcome)
        try:
            self.outcomes.replace(outcome, known.etag)
        except Conflict:
            return False
        self._moved(known.outcome, outcome)
        self.outbox.announce((outcome,))
        return True

    def write_all(self, changes: Sequence[tuple[StoredOutcome, Outcome]]) -> frozenset[str]:
        """Put each in the place of the outcome it was made from; answers the ids of those that others had changed."""
        marked = [(before, self.outbox.marked(before.outcome, after)) for before, after in changes]
        changed = self.outcomes.replace_all([StoredOutcome(after, before.etag) for before, after in marked])
        written = [(before, after) for before, after in marked if after.id not in changed]
        for before, after in written:
            self._moved(before.outcome, after)
        self.outbox.announce([after for _, after in written])
        return changed

    def note_moved(self, update_ids: Sequence[str]) -> None:
        """Note that the bundle of these updates was just taken or put: their messages are not lost."""
        self.outcomes.note_moved(update_ids, self.clock.now())

    def _moved(self, before: Outcome | None, after: Outcome) -> None:
        self.counters.outcome_changed(before, after)
        self.telemetry.outcome_changed(after)
        if before is not None and before.held_by is not None and after.held_by != before.held_by:
            self._released(before.held_by, after.id)

    def _released(self, pause_id: str, update_id: str) -> None:
        """Forget that a pause held an update; where that fails, the end of the pause finds it changed."""
        try:
            self.pauses.release(pause_id, update_id)
        except Unavailable as error:
            log.warning("held update not released", extra={"update_id": update_id, "reason": str(error)})
