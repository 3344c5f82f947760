"""Pauses and the brake's counts in memory."""

import threading
from collections.abc import Sequence

from shared.core.pause import NO_WRITES, BrakeCount, Pause
from shared.service.ports.pauses import StoredPause
from shared.service.ports.storage import Conflict


class MemoryPauses:
    """Pauses by id, and what each holds; ``reads`` counts the lists."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Pause, int]] = {}
        self.holds: dict[str, set[str]] = {}
        self.reads = 0
        self._lock = threading.Lock()

    def list(self) -> Sequence[StoredPause]:
        self.reads += 1
        return [StoredPause(pause, str(etag)) for _, (pause, etag) in sorted(self.rows.items())]

    def get(self, pause_id: str) -> StoredPause | None:
        found = self.rows.get(pause_id)
        return found and StoredPause(found[0], str(found[1]))

    def insert(self, pause: Pause) -> bool:
        with self._lock:
            return self.rows.setdefault(pause.id, (pause, 1))[0] is pause

    def replace(self, pause: Pause, etag: str) -> None:
        with self._lock:
            found = self.rows.get(pause.id)
            if found is None or str(found[1]) != etag:
                raise Conflict
            self.rows[pause.id] = (pause, found[1] + 1)

    def delete(self, pause_id: str) -> None:
        self.rows.pop(pause_id, None)

    def hold(self, pause_id: str, update_id: str) -> None:
        self.holds.setdefault(pause_id, set()).add(update_id)

    def held(self, pause_id: str, top: int) -> Sequence[str]:
        return sorted(self.holds.get(pause_id, ()))[:top]

    def held_count(self, pause_id: str) -> int:
        return len(self.holds.get(pause_id, ()))

    def release(self, pause_id: str, update_id: str) -> None:
        self.holds.get(pause_id, set()).discard(update_id)


class MemoryBrake:
    """Counts by status."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[BrakeCount, int]] = {}
        self._lock = threading.Lock()

    def read(self, status: str) -> tuple[BrakeCount, str | None]:
        found = self.counts.get(status)
        return (NO_WRITES, None) if found is None else (found[0], str(found[1]))

    def write(self, status: str, count: BrakeCount, etag: str | None) -> None:
        with self._lock:
            if self.read(status)[1] != etag:
                raise Conflict
            self.counts[status] = (count, int(etag or 0) + 1)
