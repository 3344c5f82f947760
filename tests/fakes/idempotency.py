"""Idempotency keys in memory."""

import threading
from collections.abc import Mapping
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

    def reserve_all(self, reservations: Mapping[str, KeyReservation]) -> Mapping[str, KeyReservation]:
        return {scope: self.reserve(scope, reservation) for scope, reservation in reservations.items()}

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        old = [scope for scope, kept in self.kept.items() if accepted_at(kept.update_id) < before]
        return purged(self.kept, old, limit, continuation)
