"""Idempotency keys: the first update of a scope is kept until retention ends.

``PartitionKey`` = the scope's first digit, ``RowKey`` = the scope, which is a hash: so many are reserved in few calls.
The version before made each key a partition of its own. A table that held such rows when this version first came is
noted as mixed: until all of them have expired, each reservation looks for one of them first.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import batched, groupby
from threading import Lock

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.table import Entity, Row, Table
from shared.core.basics.update_id import accepted_at
from shared.service.ports.storage import KeyReservation, Purged, Unavailable

_OLD_ROW = "key"
_AT_ONCE = 8
_IN_ONE_GO = 100
_LAYOUT = ("layout", "layout")
#: For so long an instance of the version before may have run beside this one.
_SIDE_BY_SIDE = timedelta(days=1)


class IdempotencyTable:
    """``IdempotencyStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lock = Lock()
        self._mixed: bool | None = None

    def reserve(self, scope: str, reservation: KeyReservation) -> KeyReservation:
        """Return the reservation that holds; one call for a new key, two for a known one."""
        row = _row(scope, reservation)
        for _ in range(3):
            if self._is_mixed(reservation) and (old := self._table.get(scope, _OLD_ROW)) is not None:
                return _held(old[0])
            if self._table.insert(row) is not None:
                return reservation
            found = self._table.get(row["PartitionKey"], scope)
            if found is not None:  # else it was purged since
                return _held(found[0])
        raise Unavailable("table: an idempotency key comes and goes")

    def reserve_all(self, reservations: Mapping[str, KeyReservation]) -> dict[str, KeyReservation]:
        """Reserve a hundred of a partition in a call; where one is known already, its hundred goes one by one."""
        held: dict[str, KeyReservation] = {}
        by_partition = sorted(reservations.items())
        for _, group in groupby(by_partition, key=lambda pair: pair[0][0]):
            for batch in batched(group, _IN_ONE_GO, strict=False):
                held |= self._reserved(dict(batch))
        return held

    def _reserved(self, batch: Mapping[str, KeyReservation]) -> Mapping[str, KeyReservation]:
        rows = [_row(scope, reservation) for scope, reservation in batch.items()]
        if not self._is_mixed(next(iter(batch.values()))) and self._table.insert_all(rows):
            return batch
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return dict(zip(batch, threads.map(self.reserve, batch.keys(), batch.values()), strict=True))

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        """Delete up to ``limit`` keys reserved before that time, a hundred of a partition in a call."""
        select = ["PartitionKey", "RowKey"]
        rows, onward = self._table.page(
            "Accepted lt @before", {"before": before}, limit, leading.read(continuation), select
        )
        old = [row for row in rows if row["RowKey"] == _OLD_ROW]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda row: self._table.delete(row["PartitionKey"], row["RowKey"]), old))
        for partition, names in _partitions(rows):
            self._table.delete_all(partition, names)
        if onward is None:
            self._separate(before)
        return Purged(len(rows), leading.written(onward))

    def _is_mixed(self, now: KeyReservation) -> bool:
        """Whether rows of the version before may be there, as noted when this version first came."""
        with self._lock:
            if self._mixed is None:
                self._mixed = self._noted(accepted_at(now.update_id))
            return self._mixed

    def _noted(self, now: datetime) -> bool:
        found = self._table.get(*_LAYOUT)
        if found is not None:
            return bool(found[0]["Mixed"])
        old, _ = self._table.page("RowKey eq @row", {"row": _OLD_ROW}, 1)
        self._table.insert({**_keys(*_LAYOUT), "Mixed": bool(old), "Since": now})
        return bool(old)

    def _separate(self, before: datetime) -> None:
        """Note that the rows of the version before are gone, once all that it can have written were purged."""
        found = self._table.get(*_LAYOUT)
        if found is not None and found[0]["Mixed"] and _utc(found[0]["Since"]) + _SIDE_BY_SIDE < before:
            self._table.put({**found[0], "Mixed": False})
            self._mixed = False


def _row(scope: str, reservation: KeyReservation) -> Entity:
    return {
        **_keys(scope[0], scope),
        "UpdateId": reservation.update_id,
        "Fingerprint": reservation.fingerprint,
        "Accepted": accepted_at(reservation.update_id),
    }


def _keys(partition: str, row: str) -> Entity:
    return {"PartitionKey": partition, "RowKey": row}


def _held(row: Row) -> KeyReservation:
    return KeyReservation(row["UpdateId"], row["Fingerprint"])


def _partitions(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    new = [row for row in rows if row["RowKey"] != _OLD_ROW]
    return [
        (partition, [str(row["RowKey"]) for row in batch])
        for partition, group in groupby(new, key=lambda row: str(row["PartitionKey"]))
        for batch in batched(group, _IN_ONE_GO, strict=False)
    ]


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
