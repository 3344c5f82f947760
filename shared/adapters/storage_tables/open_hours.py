"""Which hours of outcomes may hold one that is not final: the rest need not be read to find what is open.

An hour is closed once a look at it, some time after its end, has found nothing open: no final outcome ever opens again.
An outcome that is inserted later than that (its message waited in a long queue, tables were down) is noted first, and
its hour is looked at again. Rows: ``closed`` and ``late``, each by hour with a time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from shared.adapters.storage_tables.outcome_row import hour_at, keys, partition_at
from shared.adapters.storage_tables.table import Table
from shared.core.delivery.outcome import Outcome

_CLOSED, _LATE = "closed", "late"
_HOUR = timedelta(hours=1)
#: After an hour's end: an outcome that is inserted from then on is noted ...
_LATE_AFTER = timedelta(minutes=10)
#: ... and later still the hour may be closed. Clocks of instances differ by less than what lies in between.
_SETTLED_AFTER = timedelta(minutes=15)
#: One instance notes an hour once in this time, for all that it inserts.
_NOTED_FOR = timedelta(minutes=5)


class OpenHours:
    """The hours by their partition in the table of outcomes."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._noted: dict[str, datetime] = {}

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Note the hours of open or marked outcomes that come late, before they are inserted."""
        for outcome in outcomes:
            hour, now = keys(outcome.id)[0], outcome.last_action
            settled = outcome.state.final and outcome.notice_due is None
            if settled or now < hour_at(hour) + _HOUR + _LATE_AFTER:
                continue
            if hour not in self._noted or now >= self._noted[hour] + _NOTED_FOR:
                self._table.put(_row(_LATE, hour, now))
                self._noted = {other: at for other, at in self._noted.items() if at + _NOTED_FOR > now} | {hour: now}

    def open(self, since: datetime, before: datetime) -> Iterator[str]:
        """Yield the hours from ``since`` to ``before`` that are not known to be closed, oldest first."""
        closed = self._closed(since)
        hour = _start(since)
        while hour < before:
            partition = partition_at(_milliseconds(hour))
            if partition not in closed:
                yield partition
            hour += _HOUR

    def close(self, hour: str, at: datetime) -> None:
        """Remember that a look at that time found nothing open; too soon after the hour's end that means nothing."""
        if at >= hour_at(hour) + _HOUR + _SETTLED_AFTER:
            self._table.put(_row(_CLOSED, hour, at))

    def forget(self, before: datetime) -> None:
        """Drop what is known of hours before that time."""
        oldest = partition_at(_milliseconds(before))
        for row in list(self._table.query("RowKey gt @oldest", {"oldest": oldest}, ["PartitionKey", "RowKey"])):
            self._table.delete(row["PartitionKey"], row["RowKey"])

    def _closed(self, since: datetime) -> set[str]:
        found: dict[str, dict[str, datetime]] = {_CLOSED: {}, _LATE: {}}
        newest_first = partition_at(_milliseconds(since))
        for row in self._table.query("RowKey le @since", {"since": newest_first}):
            found[row["PartitionKey"]][row["RowKey"]] = datetime.fromisoformat(row["At"])
        late = found[_LATE]
        return {
            hour
            for hour, at in found[_CLOSED].items()
            if hour not in late or at > late[hour] + _NOTED_FOR + _SETTLED_AFTER
        }


def _row(kind: str, hour: str, at: datetime) -> dict[str, str]:
    return {"PartitionKey": kind, "RowKey": hour, "At": at.isoformat()}


def _start(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
