"""Retention: page by page, delete outcomes, keys, counts, ended erasures and audit records that are too old.

Each store is read from end to end, and a run that ends in the middle is continued by the next one, so the cost is
linear and no store waits for another. User statuses stay: they are what keeps old values out.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.service.ports.audit import AuditStore
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import CounterStore, ErasureStore, IdempotencyStore, OutcomeStore, Purgeable

log = logging.getLogger(__name__)

PAGE = 1000
#: What one run spends on one store.
RUN_TIME = timedelta(minutes=2)
#: An outcome outlasts its idempotency key: a repeat whose key is there and whose update is gone would put the old
#: update on the queue again. Keys that take longer than this to purge no longer keep outcomes.
_AFTER_KEYS = timedelta(days=1)


@dataclass
class Pass:
    """One way through a store, over as many runs as it takes; ``complete``: before which time all is deleted."""

    store: Purgeable
    clock: Clock
    complete: datetime | None = None
    _continuation: str | None = None
    _before: datetime | None = None

    def run(self, before: datetime) -> int:
        """Return how many rows were deleted until the end of the store or of this run's time."""
        until, deleted = self.clock.now() + RUN_TIME, 0
        while True:
            if self._continuation is None:
                self._before = before
            step = self.store.purge(before, PAGE, self._continuation)
            deleted, self._continuation = deleted + step.count, step.continuation
            if self._continuation is None:
                self.complete = self._before
                return deleted
            if self.clock.now() >= until:
                return deleted


@dataclass
class Purge:
    """The retention timer; one a process, so that a run continues the last one."""

    outcomes: OutcomeStore
    keys: IdempotencyStore
    counters: CounterStore
    erasures: ErasureStore
    clock: Clock
    retention: timedelta
    audit: AuditStore
    audit_retention: timedelta
    _passes: dict[str, Pass] = field(default_factory=dict)

    def __call__(self) -> int:
        """Return how many rows this run deleted."""
        now = self.clock.now()
        before = now - self.retention
        deleted = self._pass("keys", self.keys).run(before)
        keyless = max(self._pass("keys", self.keys).complete or before - _AFTER_KEYS, before - _AFTER_KEYS)
        deleted += self._pass("outcomes", self.outcomes).run(keyless)
        deleted += self._pass("counters", self.counters).run(before)
        deleted += self._pass("erasures", self.erasures).run(before)
        deleted += self._pass("audit", self.audit).run(now - self.audit_retention)
        log.info("purged", extra={"count": deleted})
        return deleted

    def _pass(self, name: str, store: Purgeable) -> Pass:
        return self._passes.setdefault(name, Pass(store, self.clock))
