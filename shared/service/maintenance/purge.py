"""Retention: outcomes, idempotency keys, counts and ended erasures older than that are deleted.

In slices, as often as it takes.

User statuses stay: they are what keeps old values out.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from shared.service.ports.runtime import Clock
from shared.service.ports.storage import CounterStore, ErasureStore, IdempotencyStore, OutcomeStore
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)

_SLICE = 500
#: A run ends after this many slices; the next one goes on where it stopped.
_SLICES = 100


@dataclass(frozen=True)
class Purge:
    """One run of the retention timer."""

    outcomes: OutcomeStore
    keys: IdempotencyStore
    counters: CounterStore
    erasures: ErasureStore
    clock: Clock
    retention: timedelta

    @redacts_errors
    def __call__(self) -> int:
        """How many rows were deleted."""
        before, deleted = self.clock.now() - self.retention, 0
        # Keys first, all of them: one whose outcome is gone would put its old update on the queue again.
        for store in (self.keys, self.outcomes, self.counters, self.erasures):
            slices = [_SLICE]
            while slices[-1] == _SLICE and len(slices) <= _SLICES:
                slices.append(store.purge(before, _SLICE))
            deleted += sum(slices[1:])
            if slices[-1] == _SLICE:
                break
        log.info("purged", extra={"count": deleted})
        return deleted
