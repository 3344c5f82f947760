"""Purging a store in memory: a page of what is old, with what leads to the next one."""

from collections.abc import Iterable
from typing import Any

from shared.service.ports.storage import Purged


def purged[K](rows: dict[K, Any], old: Iterable[K], limit: int, continuation: str | None) -> Purged:
    """Delete up to ``limit`` old rows that come after the continuation, in the order of their keys."""
    left = [key for key in sorted(old, key=str) if continuation is None or str(key) > continuation]
    for key in left[:limit]:
        del rows[key]
    return Purged(len(left[:limit]), str(left[limit - 1]) if len(left) > limit else None)
