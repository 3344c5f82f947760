"""The slots that one instance has reserved and the turns that wait for them, first come, first served."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from shared.core.rate_limit import Slot
from shared.service.rate_limiter.admission import Admission

#: Slots reserved at a time: few, so that a hold wastes few and the row lies seconds ahead, not minutes.
MIN_BATCH = 4
#: More are reserved at a time where storage is so slow that these would be used before the next ones come.
MAX_BATCH = 20
#: With this many slots left the next ones are reserved.
_LOW = 1
_POLL_MILLISECONDS = 100
_MAX_SLEEP = 1_000


class SlotPool:
    """Safe to call from any thread; nothing here waits."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Admission] = []
        self._slots: list[Slot] = []
        self._lapsed: list[Slot] = []
        self._reserving = False
        self._reserve_after = 0

    def join(self, turn: Admission) -> None:
        """Let a turn wait; one that was ready for a slot and missed it comes first."""
        with self._lock:
            self._waiting.insert(0 if turn.ready else len(self._waiting), turn)

    def leave(self, turn: Admission) -> None:
        """Let a turn wait no longer."""
        with self._lock:
            self._waiting.remove(turn)

    @contextmanager
    def aside(self, turn: Admission) -> Iterator[None]:
        """Take a turn whose thread calls storage out of the line: a slot that opens meanwhile goes to the next one."""
        self.leave(turn)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.insert(0, turn)

    def take(self, turn: Admission, *, now: int, lead: int, ready_in: int, held_until: int) -> Slot | None:
        """Return a slot when the one for this turn's place in the line opens within ``lead`` milliseconds.

        Slots that close before a turn is ready, ``ready_in`` milliseconds from now, go back to the quota.
        """
        with self._lock:
            usable = [slot for slot in self._slots if slot.closes >= now + ready_in and slot.opens >= held_until]
            self._lapsed += [slot for slot in self._slots if slot not in usable]
            self._slots = usable
            place = self._waiting.index(turn)
            due = place < len(usable) and usable[place].opens - lead <= now
            return usable.pop(0) if due else None

    def look_again(self, turn: Admission, *, now: int, lead: int) -> int:
        """Return the moment at which this turn's slot may be due."""
        with self._lock:
            place = self._waiting.index(turn)
            if place < len(self._slots):
                due = self._slots[place].opens - lead
            else:
                due = now + _POLL_MILLISECONDS * (1 + (place - len(self._slots)) // 2)
            return max(now + 1, min(due, now + _MAX_SLEEP))

    def start_reserving(self, *, now: int, needed_until: int) -> int:
        """Return how many slots the calling thread should reserve; 0 when none, or when another thread does."""
        with self._lock:
            lacking = len(self._waiting) - len(self._slots)
            enough = len(self._slots) > _LOW and self._slots[-1].opens >= needed_until
            if self._reserving or lacking <= 0 or enough or now < self._reserve_after:
                return 0
            self._reserving = True
            return min(lacking, MAX_BATCH)

    def end_reserving(self, slots: tuple[Slot, ...] = (), *, again: int = 0) -> None:
        """Add what was reserved; ``again`` is the moment before which nobody needs to try again."""
        with self._lock:
            self._slots = sorted([*self._slots, *slots], key=lambda slot: slot.opens)
            self._reserving, self._reserve_after = False, again

    def start_probe(self) -> bool:
        """Return whether the calling thread may ask for a probe: one of an instance is enough."""
        with self._lock:
            free = not self._reserving
            self._reserving = True
            return free

    def put_back(self, slot: Slot, *, now: int) -> None:
        """Take back a slot that was not used: the next turn gets it, or the quota once it has lapsed."""
        with self._lock:
            if slot.closes < now:
                self._lapsed.append(slot)
            else:
                self._slots = sorted([*self._slots, slot], key=lambda slot: slot.opens)

    def lapsed(self) -> tuple[Slot, ...]:
        """Return the slots to give back to the quota; ``given_back`` forgets them."""
        with self._lock:
            return tuple(self._lapsed)

    def given_back(self, slots: tuple[Slot, ...]) -> None:
        """Forget slots that the quota has back."""
        with self._lock:
            for slot in slots:
                self._lapsed.remove(slot)

    def empty(self) -> bool:
        """Return whether no slot is left."""
        with self._lock:
            return not self._slots
