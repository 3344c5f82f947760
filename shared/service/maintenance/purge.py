"""Retention: outcomes, idempotency keys, counts, ended erasures and audit records older than theirs are deleted.

In slices, as often as it takes.

User statuses stay: they are what keeps old values out.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.service.ports.audit import AuditStore
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import CounterStore, ErasureStore, IdempotencyStore, OutcomeStore
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)

_SLICE = 500
#: A run ends after this many slices; the next one goes on where it stopped.
_SLICES = 100
type _Purgeable = OutcomeStore | IdempotencyStore | CounterStore | ErasureStore | AuditStore


@dataclass(frozen=True)
class Purge:
    """One run of the retention timer."""

    outcomes: OutcomeStore
    keys: IdempotencyStore
    counters: CounterStore
    erasures: ErasureStore
    clock: Clock
    retention: timedelta
    audit: AuditStore
    audit_retention: timedelta

    @redacts_errors
    def __call__(self) -> int:
        """How many rows were deleted."""
        now, deleted = self.clock.now(), 0
        before = now - self.retention
        # Keys first, all of them: one whose outcome is gone would put its old update on the queue again.
        for store in (self.keys, self.outcomes, self.counters, self.erasures):
            count = _purged(store, before)
            deleted += count
            if count == _SLICE * _SLICES:
                break
        deleted += _purged(self.audit, now - self.audit_retention)
        log.info("purged", extra={"count": deleted})
        return deleted


def _purged(store: _Purgeable, before: datetime) -> int:
    """Purge a store slice by slice; return how many rows were deleted."""
    deleted = 0
    for _ in range(_SLICES):
        count = store.purge(before, _SLICE)
        deleted += count
        if count < _SLICE:
            break
    return deleted
