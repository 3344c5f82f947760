"""Begin and end pauses: what one held is put back on the queue in the order of acceptance, in slices.

An ended pause stays in its table until nothing is left that it held, so a process that dies in between is replaced by
the next slice: of the timer, or of another request.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.basics.update_id import new_update_id
from shared.core.pause import MAX_PAUSES, Kind, Pause, PauseRequest, Phase
from shared.service.audit import Refused
from shared.service.compare_and_swap import until_no_conflict
from shared.service.delivery.brake import Brake
from shared.service.delivery.cancel import Cancel
from shared.service.delivery.pauses import ActivePauses
from shared.service.outcomes.put_back import PutBack
from shared.service.ports.pauses import PauseStore, StoredPause
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import OutcomeStore, Unavailable

log = logging.getLogger(__name__)

#: Updates read from a pause's list at a time.
_AT_ONCE = 100
#: A request works on what a pause held for so long, a timer for longer.
REQUEST_TIME, TIMER_TIME = timedelta(seconds=3), timedelta(seconds=50)
#: A turn that still believes in an ended pause may hold an update meanwhile.
KEPT_AFTER_END = timedelta(minutes=10)
#: A pause that ends by itself later than this is ended by the timer alone.
_MAX_ALARM = timedelta(days=1)
_SECONDS_TO_NEXT_SLICE = 2.0


class TooManyPauses(Refused):
    """There are as many pauses as there may be."""


@dataclass(frozen=True)
class HeldBy:
    """A pause, and how many updates it holds."""

    pause: Pause
    held_count: int


@dataclass(frozen=True)
class ManagePauses:
    """The pauses of one relay."""

    store: PauseStore
    active: ActivePauses
    outcomes: OutcomeStore
    put_back: PutBack
    cancel: Cancel
    brake: Brake
    clock: Clock
    randomness: Randomness
    call_later: Callable[[float, Callable[[], None]], None]

    def draft(self, request: PauseRequest, created_by: str | None) -> Pause:
        """Return the pause that an operator asks for; it does not hold anything yet."""
        now = self.clock.now()
        pause_id = new_update_id(now, self.randomness.bits())
        return Pause(pause_id, Kind.OPERATOR, request.reason, request.scope, created_by, request.ends, now)

    def begin(self, pause: Pause) -> Pause | TooManyPauses:
        """Let a pause hold updates from now on. Raise ``Unavailable``."""
        of_operators = [stored for stored in self._open() if stored.pause.kind is Kind.OPERATOR]
        if len(of_operators) >= MAX_PAUSES:
            return TooManyPauses(f"There are {MAX_PAUSES} pauses, which is the most. End one first.")
        self.store.insert(pause)
        self.active.forget()
        if pause.ends is not None and pause.ends - self.clock.now() <= _MAX_ALARM:
            self.call_later((pause.ends - self.clock.now()).total_seconds(), self._next_slice)
        log.info("paused", extra={"pause_id": pause.id})
        return pause

    def list(self) -> Sequence[HeldBy]:
        """Return the pauses that hold updates: those of the brake first, then the newest."""
        found = sorted(self._open(), key=lambda stored: stored.pause.id, reverse=True)
        found.sort(key=lambda stored: stored.pause.kind is not Kind.BRAKE)
        return [self._counted(stored.pause) for stored in found]

    def get(self, pause_id: str) -> HeldBy | None:
        """Return a pause that holds updates; None where it has ended or never was."""
        stored = self._one(pause_id)
        return None if stored is None else self._counted(stored.pause)

    def end(self, pause_id: str) -> Pause | None:
        """End a pause, and begin to put back what it held; None where it has ended or never was."""
        ended = self._ended(pause_id)
        if ended is not None:
            self._slice(REQUEST_TIME)
        return ended

    def cancel_updates(self, pause_id: str) -> HeldBy | None:
        """Begin to cancel all that a pause holds; then it ends. None where it has ended or never was."""
        canceling = until_no_conflict(lambda: self._moved(pause_id, Phase.CANCELING))
        if canceling is None:
            return None
        self._slice(REQUEST_TIME)
        return self._counted(canceling)

    def __call__(self) -> None:
        """Go on with all pauses that end: the timer's slice. Raise ``Unavailable``."""
        self._work(self.clock.now() + TIMER_TIME)

    def _slice(self, time: timedelta) -> None:
        try:
            left = self._work(self.clock.now() + time)
        except Unavailable as error:
            log.warning("left to the timer", extra={"reason": str(error)})
            return
        if left:
            self.call_later(_SECONDS_TO_NEXT_SLICE, self._next_slice)

    def _next_slice(self) -> None:
        self._slice(TIMER_TIME)

    def _work(self, until: datetime) -> bool:
        """Work on what pauses held; return whether something is left."""
        now, left = self.clock.now(), False
        for stored in self.store.list():
            pause: Pause | None = stored.pause
            if stored.pause.phase is not Phase.ENDED and stored.pause.is_over(now):
                pause = self._ended(stored.pause.id)
            left |= pause is not None and not self._worked(pause, until)
        return left

    def _worked(self, pause: Pause, until: datetime) -> bool:
        """Return whether nothing is left that this pause held, as far as it ends."""
        match pause.phase:
            case Phase.ACTIVE:
                return True
            case Phase.CANCELING:
                done = self._each_held(pause, until, self.cancel)
                if done:
                    self._ended(pause.id)
                return done
            case Phase.ENDED:
                done = self._each_held(pause, until, self.put_back)
                if done and pause.changed + KEPT_AFTER_END <= self.clock.now():
                    self.store.delete(pause.id)
                return done

    def _each_held(self, pause: Pause, until: datetime, do: Callable[[str], object]) -> bool:
        """Do something with each update that a pause holds, the oldest first; return whether none is left.

        One that is held afterwards, because a turn that died still has its lease, is the next slice's.
        """
        busy: set[str] = set()
        while held := [found for found in self.store.held(pause.id, _AT_ONCE + len(busy)) if found not in busy]:
            for update_id in held:
                if self.clock.now() >= until:
                    return False
                if self._holds(pause, update_id):
                    do(update_id)
                    if self._holds(pause, update_id):
                        busy.add(update_id)
                        continue
                self.store.release(pause.id, update_id)
        return not busy

    def _holds(self, pause: Pause, update_id: str) -> bool:
        known = self.outcomes.get(update_id)
        return known is not None and known.outcome.held_by == pause.id

    def _open(self) -> Sequence[StoredPause]:
        now = self.clock.now()
        return [stored for stored in self.store.list() if not stored.pause.is_over(now)]

    def _one(self, pause_id: str) -> StoredPause | None:
        stored = self.store.get(pause_id)
        return None if stored is None or stored.pause.is_over(self.clock.now()) else stored

    def _counted(self, pause: Pause) -> HeldBy:
        return HeldBy(pause, self.store.held_count(pause.id))

    def _ended(self, pause_id: str) -> Pause | None:
        """End a pause: the brake counts anew first, else the next write would open another."""
        stored = self.store.get(pause_id)
        if stored is not None and stored.pause.kind is Kind.BRAKE and stored.pause.phase is not Phase.ENDED:
            self.brake.reset(stored.pause)
        return until_no_conflict(lambda: self._moved(pause_id, Phase.ENDED))

    def _moved(self, pause_id: str, phase: Phase) -> Pause | None:
        """Return the pause in its new phase; None where it has ended or never was. Raise ``Conflict``."""
        stored = self.store.get(pause_id)
        if stored is None or stored.pause.phase is Phase.ENDED:
            return None
        moved = replace(stored.pause, phase=phase, changed=self.clock.now())
        self.store.replace(moved, stored.etag)
        self.active.forget()
        log.info("pause changed", extra={"pause_id": pause_id, "phase": str(phase)})
        return moved
