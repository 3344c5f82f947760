"""Erasures in memory."""

import threading
from datetime import datetime

from shared.core.erasure.erasure import Erasure
from shared.service.ports.storage import Conflict, Purged, StoredErasure
from tests.fakes.purging import purged


class MemoryErasures:
    """Erasures by id."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Erasure, int]] = {}
        self._lock = threading.Lock()

    def get(self, erasure_id: str) -> StoredErasure | None:
        found = self.rows.get(erasure_id)
        return found and StoredErasure(found[0], str(found[1]))

    def insert(self, erasure: Erasure) -> str:
        with self._lock:
            if erasure.id in self.rows:
                raise Conflict
            self.rows[erasure.id] = (erasure, 1)
            return "1"

    def replace(self, erasure: Erasure, etag: str) -> str:
        with self._lock:
            found = self.rows.get(erasure.id)
            if found is None or str(found[1]) != etag:
                raise Conflict
            self.rows[erasure.id] = (erasure, found[1] + 1)
            return str(found[1] + 1)

    def open(self, most: int) -> list[StoredErasure]:
        rows = [StoredErasure(erasure, str(etag)) for _, (erasure, etag) in sorted(self.rows.items())]
        return [stored for stored in rows if not stored.erasure.state.final][:most]

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        old = [erasure.id for erasure, _ in self.rows.values() if erasure.state.final and erasure.last_action < before]
        return purged(self.rows, old, limit, continuation)
