"""Which pauses hold updates now, and holding them: what a turn asks before it sends anything.

One process reads all pauses once in two seconds while it delivers, whatever the number of updates. A write that has
waited for its slot looks again right before it goes out, so a pause stops every instance within seconds.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.core.delivery.outcome import Outcome, State, Transition, advance
from shared.core.intake.envelope import Envelope
from shared.core.intake.update import Update
from shared.core.pause import Pause
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.pauses import PauseStore
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import StoredOutcome

log = logging.getLogger(__name__)

#: An older view of the pauses is read again.
REFRESHED_EVERY = timedelta(seconds=2)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class ActivePauses:
    """One process's view of the pauses that hold updates."""

    store: PauseStore
    clock: Clock
    _read: datetime = _NEVER
    _pauses: tuple[Pause, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> tuple[Pause, ...]:
        """Return the pauses that hold updates now, oldest first. Raise ``Unavailable``."""
        with self._lock:
            if not timedelta(0) <= self.clock.now() - self._read < REFRESHED_EVERY:
                begun = self.clock.now()
                self._pauses = tuple(stored.pause for stored in self.store.list())
                self._read = begun
            now = self.clock.now()
            return tuple(pause for pause in self._pauses if not pause.is_over(now))

    def forget(self) -> None:
        """Read the pauses again at the next look: this process has changed one."""
        with self._lock:
            self._read = _NEVER


@dataclass(frozen=True)
class Hold:
    """Holds updates: their messages end, their values stay registered, and the end of the pause puts them back."""

    active: ActivePauses
    store: PauseStore
    repository: OutcomeRepository
    clock: Clock

    def __call__(self, envelope: Envelope, known: StoredOutcome | None) -> bool:
        """Return whether a pause holds this update; then its message has nothing left to do."""
        if known is not None and known.outcome.state.final:
            return False
        pause = holding(self.active(), envelope.update)
        if pause is None:
            return False
        self.by(pause, envelope, known)
        return True

    def by(
        self,
        pause: Pause,
        envelope: Envelope,
        known: StoredOutcome | None,
        change: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    ) -> None:
        """Let a pause hold this update, after ``change``.

        The pause's list of what it holds comes first: whatever dies after it, the end of the pause finds the update.
        """
        if known is not None and known.outcome.held_by == pause.id:
            return
        self.store.hold(pause.id, envelope.id)
        now = self.clock.now()

        def held(outcome: Outcome) -> Outcome:
            if outcome.held_by == pause.id:
                return outcome
            return advance(change(outcome), Transition.HOLD, now, held_by=pause.id)

        after = self.repository.move(envelope, known, held)
        if after.state is not State.HELD:
            self.store.release(pause.id, envelope.id)  # it has ended meanwhile
        log.info("held", extra={"update_id": envelope.id, "pause_id": pause.id})


def holding(pauses: Iterable[Pause], update: Update) -> Pause | None:
    """Return the first of these pauses that has this update in its scope."""
    return next((pause for pause in pauses if pause.scope.holds(update)), None)


def holding_values(pauses: Iterable[Pause], policy_id: str, status: str | None) -> Pause | None:
    """Return the first of these pauses that may hold an update of which only policy and status are known."""
    return next((pause for pause in pauses if pause.scope.holds_values(policy_id, status)), None)
