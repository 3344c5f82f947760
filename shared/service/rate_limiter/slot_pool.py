"""The slots that one instance has reserved and the turns that wait for them, in each lane first come, first served."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Lacking:
    """What the calling thread should reserve: ``count`` slots for turns of one lane."""

    bulk: bool
    count: int


class SlotPool:
    """Safe to call from any thread; nothing here waits."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: dict[bool, list[Admission]] = {False: [], True: []}
        self._slots: list[Slot] = []
        self._lapsed: list[Slot] = []
        self._reserving = False
        self._reserve_after = {False: 0, True: 0}

    def join(self, turn: Admission) -> None:
        """Let a turn wait in its lane; one that was ready for a slot and missed it comes first."""
        with self._lock:
            line = self._lines[turn.bulk]
            line.insert(0 if turn.ready else len(line), turn)

    def leave(self, turn: Admission) -> None:
        """Let a turn wait no longer."""
        with self._lock:
            self._lines[turn.bulk].remove(turn)

    @contextmanager
    def aside(self, turn: Admission) -> Iterator[None]:
        """Take a turn whose thread calls storage out of the line: a slot that opens meanwhile goes to the next one."""
        self.leave(turn)
        try:
            yield
        finally:
            with self._lock:
                self._lines[turn.bulk].insert(0, turn)

    def take(self, turn: Admission, *, now: int, lead: int, ready_in: int, held_until: int) -> Slot | None:
        """Return a slot when the one for this turn's place in the line opens within ``lead`` milliseconds.

        Slots that close before a turn is ready, ``ready_in`` milliseconds from now, go back to the quota.
        """
        with self._lock:
            usable = [slot for slot in self._slots if slot.closes >= now + ready_in and slot.opens >= held_until]
            self._lapsed += [slot for slot in self._slots if slot not in usable]
            self._slots = usable
            slot = self._assigned().get(turn)
            if slot is None or slot.opens - lead > now:
                return None
            usable.remove(slot)
            return slot

    def look_again(self, turn: Admission, *, now: int, lead: int) -> int:
        """Return the moment at which this turn's slot may be due."""
        with self._lock:
            assigned = self._assigned()
            if turn in assigned:
                due = assigned[turn].opens - lead
            else:
                behind = [other for other in self._lines[turn.bulk] if other not in assigned].index(turn)
                due = now + _POLL_MILLISECONDS * (1 + behind // 2)
            return max(now + 1, min(due, now + _MAX_SLEEP))

    def start_reserving(self, *, now: int, needed_until: Mapping[bool, int], owed: bool) -> Lacking | None:
        """Return what the calling thread should reserve; None when nothing, or when another thread does.

        ``needed_until``: up to when a lane, the bulk one by True, should have slots. ``owed``: the bulk lane's turn is
        first.
        """
        with self._lock:
            if self._reserving:
                return None
            assigned = self._assigned()
            for bulk in (owed, not owed):
                line = self._lines[bulk]
                slots = [assigned[turn] for turn in line if turn in assigned]
                lacking = len(line) - len(slots)
                enough = len(slots) > _LOW and slots[-1].opens >= needed_until[bulk]
                if lacking > 0 and not enough and now >= self._reserve_after[bulk]:
                    self._reserving = True
                    return Lacking(bulk, min(lacking, MAX_BATCH))
            return None

    def end_reserving(self, slots: tuple[Slot, ...] = (), *, bulk: bool = False, again: int = 0) -> None:
        """Add what was reserved; ``again`` is the moment before which nobody of the lane needs to try again."""
        with self._lock:
            self._slots = sorted([*self._slots, *slots], key=lambda slot: slot.opens)
            self._reserving, self._reserve_after[bulk] = False, again

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

    def _assigned(self) -> dict[Admission, Slot]:
        """Return the slot of each turn that has one: normal turns come first, but for the bulk lane's own share."""
        normal, bulk = (deque(self._lines[lane]) for lane in (False, True))
        assigned: dict[Admission, Slot] = {}
        for slot in self._slots:
            line = bulk if bulk and (slot.bulk or not normal) else normal
            if line:
                assigned[line.popleft()] = slot
        return assigned
