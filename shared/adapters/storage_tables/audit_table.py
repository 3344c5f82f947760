"""Audit records in a table: a row each, keyed newest first, as outcomes are."""

from datetime import datetime

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.newest_first import between
from shared.adapters.storage_tables.outcome_row import id_in, keys
from shared.adapters.storage_tables.rows import readable
from shared.adapters.storage_tables.table import Entity, Row, Table
from shared.core.audit import AuditRecord
from shared.service.ports.audit import AuditFilter
from shared.service.ports.storage import Purged, ScanPage


class AuditTable:
    """``AuditStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def append(self, record: AuditRecord) -> None:
        """Insert the record; one call."""
        self._table.insert(_to_row(record))

    def conclude(self, record: AuditRecord) -> None:
        """Write the record with its result; one call, since nobody else writes to its row."""
        self._table.put(_to_row(record))

    def list(self, wanted: AuditFilter, top: int, continuation: str | None = None) -> ScanPage[AuditRecord]:
        """Return a page of the table's own paging: it may hold fewer than ``top`` and still lead on."""
        text, parameters = _condition(wanted)
        rows, onward = self._table.page(text, parameters, top, leading.read(continuation))
        return ScanPage(tuple(readable(rows, _from_row)), leading.written(onward))

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        """Delete a page of records, by the time in their keys."""
        text, parameters = _condition(AuditFilter(created_before=before))
        select = ["PartitionKey", "RowKey"]
        rows, onward = self._table.page(text, parameters, limit, leading.read(continuation), select)
        for row in rows:
            self._table.delete(row["PartitionKey"], row["RowKey"])
        return Purged(len(rows), leading.written(onward))


def _condition(wanted: AuditFilter) -> tuple[str, Row]:
    terms, parameters = between(wanted.created_after, wanted.created_before)
    if wanted.action is not None:
        terms, parameters = [*terms, "Action eq @Action"], parameters | {"Action": wanted.action.value}
    return " and ".join(terms) or "PartitionKey ge ''", parameters


def _to_row(record: AuditRecord) -> Entity:
    partition, row = keys(record.id)
    return {
        "PartitionKey": partition,
        "RowKey": row,
        "Action": str(record.action),
        "By": record.by or "",
        "Target": record.target or "",
        "Result": str(record.result),
    }


def _from_row(row: Row) -> AuditRecord:
    return AuditRecord(
        id=id_in(row),
        action=row["Action"],
        by=row["By"] or None,
        target=row["Target"] or None,
        result=row["Result"],
    )
