"""Audit records in memory."""

from datetime import datetime

from shared.core.audit import AuditRecord
from shared.service.ports.audit import AuditFilter
from shared.service.ports.storage import InvalidContinuation, Purged, ScanPage
from tests.fakes.purging import purged


class MemoryAudit:
    """Records by id, newest first."""

    def __init__(self) -> None:
        self.rows: dict[str, AuditRecord] = {}

    def append(self, record: AuditRecord) -> None:
        self.rows.setdefault(record.id, record)

    def conclude(self, record: AuditRecord) -> None:
        self.rows[record.id] = record

    def list(self, wanted: AuditFilter, top: int, continuation: str | None = None) -> ScanPage[AuditRecord]:
        if continuation is not None and not continuation.startswith("before-"):
            raise InvalidContinuation
        below = continuation.removeprefix("before-") if continuation else "g"
        matching = [record for record_id, record in sorted(self.rows.items(), reverse=True) if record_id < below]
        matching = [record for record in matching if _matches(record, wanted)]
        return ScanPage(tuple(matching[:top]), f"before-{matching[top - 1].id}" if len(matching) > top else None)

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        old = [record_id for record_id, record in self.rows.items() if record.created < before]
        return purged(self.rows, old, limit, continuation)


def _matches(record: AuditRecord, wanted: AuditFilter) -> bool:
    return (
        wanted.action in (None, record.action)
        and (wanted.created_after is None or record.created >= wanted.created_after)
        and (wanted.created_before is None or record.created < wanted.created_before)
    )
