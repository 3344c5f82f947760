"""Idempotency keys: the first update of a scope is kept until retention ends."""

from datetime import datetime

from shared.adapters.storage_tables.table import Table
from shared.core.basics.update_id import accepted_at
from shared.service.ports.storage import KeyReservation, Unavailable

_ROW = "key"


class IdempotencyTable:
    """``IdempotencyStore`` on a table; a scope is a hash, so it is a partition of its own."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def reserve(self, scope: str, reservation: KeyReservation) -> KeyReservation:
        """One call for a new key, two for a known one."""
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
            if found is not None:  # else it was purged in between
                return KeyReservation(found[0]["UpdateId"], found[0]["Fingerprint"])
        raise Unavailable("table: an idempotency key comes and goes")

    def purge(self, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` keys reserved before that time; answers how many."""
        rows = self._table.some("Accepted lt @before", {"before": before}, limit, ["PartitionKey"])
        for row in rows:
            self._table.delete(row["PartitionKey"], _ROW)
        return len(rows)
