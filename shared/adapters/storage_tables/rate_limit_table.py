"""The one small row that all instances share: reserved slots, hold and outage."""

import json
from dataclasses import asdict

from shared.adapters.storage_tables.table import Table
from shared.core.rate_limit import RateLimitState
from shared.service.ports.storage import Conflict

_KEY = {"PartitionKey": "pacing", "RowKey": "pacing"}


class RateLimitTable:
    """``PacingStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self) -> tuple[RateLimitState, str | None]:
        """The row and its etag; an empty one without etag before the first write."""
        found = self._table.get(partition=_KEY["PartitionKey"], row=_KEY["RowKey"])
        if found is None:
            return RateLimitState(), None
        row, etag = found
        members = json.loads(row["Pacing"])
        stamps, faults = _undelta(members.pop("stamps")), tuple(members.pop("faults"))
        return RateLimitState(stamps=stamps, faults=faults, **members), etag

    def write(self, pacing: RateLimitState, etag: str | None) -> None:
        """Raises ``Conflict``."""
        members = asdict(pacing) | {"stamps": _delta(pacing.stamps), "faults": list(pacing.faults)}
        row = {**_KEY, "Pacing": json.dumps(members, separators=(",", ":"))}
        if etag is not None:
            self._table.replace(row, etag)
        elif self._table.insert(row) is None:
            raise Conflict


def _delta(stamps: tuple[int, ...]) -> list[int]:
    # As distances, so that thousands of slots fit into one property.
    return [stamp - before for before, stamp in zip((0, *stamps), stamps, strict=False)]


def _undelta(distances: list[int]) -> tuple[int, ...]:
    stamps, last = [], 0
    for distance in distances:
        last += distance
        stamps.append(last)
    return tuple(stamps)
