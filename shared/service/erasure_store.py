"""Where erasures are kept; the port's adapter and twin keep these promises."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.core.erasure import Erasure


@dataclass(frozen=True)
class StoredErasure:
    """An erasure as the store holds it; ``etag`` guards the next replacement."""

    erasure: Erasure
    etag: str


class ErasureStore(Protocol):
    """Erasures, open and final. Raises ``Unavailable``."""

    def get(self, erasure_id: str) -> StoredErasure | None:
        """None when there is none, or it was purged."""
        ...

    def insert(self, erasure: Erasure) -> str:
        """Its etag; raises ``Conflict`` when there is one of that id."""
        ...

    def replace(self, erasure: Erasure, etag: str) -> str:
        """The new etag; raises ``Conflict``."""
        ...

    def open(self, most: int) -> list[StoredErasure]:
        """Those that are not final, oldest first."""
        ...

    def purge(self, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` that became final before that time; answers how many."""
        ...
