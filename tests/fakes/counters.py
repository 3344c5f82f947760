"""Counters in memory."""

from datetime import datetime

from shared.core.delivery.statistics import Minutes, hour_of
from shared.service.ports.storage import CounterRow, Purged
from tests.fakes.purging import purged


class MemoryCounters:
    """Counts by hour and instance."""

    def __init__(self) -> None:
        self.rows: dict[tuple[datetime, str], Minutes] = {}

    def write(self, hour: datetime, instance: str, minutes: Minutes) -> None:
        self.rows[hour, instance] = minutes

    def read(self, since: datetime) -> list[CounterRow]:
        return [CounterRow(*key, minutes) for key, minutes in sorted(self.rows.items()) if key[0] >= since]

    def touch(self) -> None:
        pass

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        old = [key for key in self.rows if key[0] < hour_of(before)]
        return purged(self.rows, old, limit, continuation)
