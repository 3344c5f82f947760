"""Counts: a partition an hour, a row an instance."""

import json
from datetime import datetime

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.table import Table
from shared.core.delivery.statistics import Minutes
from shared.service.ports.storage import CounterRow, Purged

_TOUCHED = {"PartitionKey": "touched", "RowKey": "touched"}


class CounterTable:
    """``CounterStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def write(self, hour: datetime, instance: str, minutes: Minutes) -> None:
        """Write an instance's counts of an hour, by minute; one call."""
        counts = json.dumps({str(minute): dict(counts) for minute, counts in minutes.items()}, separators=(",", ":"))
        self._table.put({"PartitionKey": _partition(hour), "RowKey": instance, "Hour": hour, "Counts": counts})

    def read(self, since: datetime) -> list[CounterRow]:
        """Return a row for each instance and hour from that time on."""
        rows = self._table.query("PartitionKey ge @since and PartitionKey lt 't'", {"since": _partition(since)})
        return [
            CounterRow(
                datetime.fromisoformat(row["PartitionKey"]),
                row["RowKey"],
                {int(minute): counts for minute, counts in json.loads(row["Counts"]).items()},
            )
            for row in rows
        ]

    def touch(self) -> None:
        """Write a row that nobody reads."""
        self._table.put(_TOUCHED)

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        """Delete up to ``limit`` rows of earlier hours."""
        rows, onward = self._table.page(
            "PartitionKey lt @before",
            {"before": _partition(before)},
            limit,
            leading.read(continuation),
            ["PartitionKey", "RowKey"],
        )
        for row in rows:
            self._table.delete(row["PartitionKey"], row["RowKey"])
        return Purged(len(rows), leading.written(onward))


def _partition(hour: datetime) -> str:
    return hour.strftime("%Y-%m-%dT%H:00+00:00")
