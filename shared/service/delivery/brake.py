"""The brake: so many writes of a status in a time pass, the next one opens a pause.

The writes are counted in a row that all instances share, before each goes out, so the count is exact.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from shared.core.basics.update_id import new_update_id
from shared.core.delivery.user_status import Values
from shared.core.pause import NO_WRITES, BrakeCount, BrakeLimit, Kind, Pause, Scope, count_write, passes
from shared.core.rate_limit import Slot
from shared.core.rate_limit.state import digest
from shared.service.compare_and_swap import compare_and_swap
from shared.service.delivery.pauses import ActivePauses
from shared.service.ports.pauses import BrakeStore, PauseStore
from shared.service.ports.runtime import Clock, Randomness

log = logging.getLogger(__name__)

#: All instances count in one row, as many writes a second as the quota lets through.
_MAX_TRIES = 50


@dataclass(frozen=True)
class Brake:
    """Counts writes of the statuses in ``limits`` for one process; a retry of the same value counts once."""

    limits: Mapping[str, BrakeLimit]
    counts: BrakeStore
    pauses: PauseStore
    active: ActivePauses
    clock: Clock
    randomness: Randomness
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stops(self, values: Values, slot: Slot) -> bool:
        """Return whether a write of these values must not go out: its status has a pause, which this may open."""
        value = values.get("status")
        status = None if value is None else str(value.value)
        if value is None or status is None or status not in self.limits:
            return False
        at = max(slot.opens, int(self.clock.now().timestamp() * 1000))
        write = digest(value.update_id)
        count = self._counted(status, write, at)
        if count.pause_id is None or passes(count, write):
            return False
        self._open(status, count.pause_id)
        return True

    def beside(self, pauses: Iterable[Pause], values: Values) -> tuple[Pause, ...]:
        """Return the pauses that can stop a write which was counted: its own status's brake cannot any more."""
        status = values["status"].value if "status" in values else None
        return tuple(pause for pause in pauses if pause.kind is not Kind.BRAKE or pause.scope.status != status)

    def reset(self, pause: Pause) -> None:
        """Start the count anew, before a pause of the brake ends."""
        status = str(pause.scope.status)

        def counted_anew(count: BrakeCount) -> BrakeCount:
            return NO_WRITES if count.pause_id == pause.id else count

        self._changed(status, counted_anew)

    def _counted(self, status: str, write: str, at: int) -> BrakeCount:
        pause_id, limit = new_update_id(self.clock.now(), self.randomness.bits()), self.limits[status]
        with self._lock:  # one thread of a process at a time: they would only make each other try again
            return self._changed(status, lambda count: count_write(count, limit, write, at, pause_id))

    def _changed(self, status: str, change: Callable[[BrakeCount], BrakeCount]) -> BrakeCount:
        def write(count: BrakeCount, etag: str | None) -> None:
            self.counts.write(status, count, etag)

        return compare_and_swap(partial(self.counts.read, status), change, write, tries=_MAX_TRIES)

    def _open(self, status: str, pause_id: str) -> None:
        """Insert the pause, unless another instance has: the count names it, so there is one alone."""
        now = self.clock.now()
        pause = _braked(pause_id, status, self.limits[status], now)
        if self.pauses.insert(pause):
            log.warning("brake", extra={"pause_id": pause_id, "status": status})
        self.active.forget()


def _braked(pause_id: str, status: str, limit: BrakeLimit, now: datetime) -> Pause:
    reason = limit.in_words(status)
    return Pause(pause_id, Kind.BRAKE, reason, Scope(status=status), None, None, now)
