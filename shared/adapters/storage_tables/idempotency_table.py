"""Idempotency keys: the first update of a scope is kept until retention ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.table import Table
from shared.core.basics.update_id import accepted_at
from shared.service.ports.storage import KeyReservation, Purged, Unavailable

_ROW = "key"
_AT_ONCE = 8


class IdempotencyTable:
    """``IdempotencyStore`` on a table; a scope is a hash, so it is a partition of its own."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def reserve(self, scope: str, reservation: KeyReservation) -> KeyReservation:
        """Return the reservation that holds; one call for a new key, two for a known one."""
        row = {
            "PartitionKey": scope,
            "RowKey": _ROW,
            "UpdateId": reservation.update_id,
            "Fingerprint": reservation.fingerprint,
            "Accepted": accepted_at(reservation.update_id),
        }
        for _ in range(3):
            if self._table.insert(row) is not None:
                return reservation
            found = self._table.get(scope, _ROW)
            if found is not None:  # else it was purged since
                return KeyReservation(found[0]["UpdateId"], found[0]["Fingerprint"])
        raise Unavailable("table: an idempotency key comes and goes")

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        """Delete up to ``limit`` keys reserved before that time, several at a time: each is a partition of its own."""
        select = ["PartitionKey", "RowKey"]
        rows, onward = self._table.page(
            "Accepted lt @before", {"before": before}, limit, leading.read(continuation), select
        )
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda row: self._table.delete(row["PartitionKey"], row["RowKey"]), rows))
        return Purged(len(rows), leading.written(onward))
