"""Idempotency keys in memory."""

import threading
from datetime import datetime

from shared.core.basics.update_id import accepted_at
from shared.service.ports.storage import KeyReservation, Purged
from tests.fakes.purging import purged


class MemoryKeys:
    """Idempotency keys."""

    def __init__(self) -> None:
        self.kept: dict[str, KeyReservation] = {}
        self._lock = threading.Lock()

    def reserve(self, scope: str, reservation: KeyReservation) -> KeyReservation:
        with self._lock:
            return self.kept.setdefault(scope, reservation)

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        old = [scope for scope, kept in self.kept.items() if accepted_at(kept.update_id) < before]
        return purged(self.kept, old, limit, continuation)
