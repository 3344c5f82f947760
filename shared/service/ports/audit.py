"""What the use cases need of the audit's storage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.core.audit import Action, AuditRecord
from shared.service.ports.storage import Purgeable, ScanPage


@dataclass(frozen=True)
class AuditFilter:
    """Which records a list names; ``None`` = any. Times bound the action's begin: after <= created < before."""

    action: Action | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class AuditStore(Purgeable, Protocol):
    """Audit records, newest first. No method changes a record but for its result, or deletes one before its time.

    Raises ``Unavailable``.
    """

    def append(self, record: AuditRecord) -> None: ...
    def conclude(self, record: AuditRecord) -> None:
        """Write the result of an appended record."""

    def list(self, wanted: AuditFilter, top: int, continuation: str | None = None) -> ScanPage[AuditRecord]:
        """Return a page, newest first. Raise ``InvalidContinuation``."""
