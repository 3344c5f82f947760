"""The safety net: updates that are not final and overdue are put back on the queue, whatever was lost in between.

Their turn does the rest; one that was tried and is past its deadline fails there.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.delivery.outcome import Outcome, State, is_overdue
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import OutcomeFilter, OutcomeStore, UpdateQueue
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)

_PAGE = 1000
#: Beyond the deadline, so that every update whose turns were lost is seen by a frequent run.
_BEYOND_DEADLINE = timedelta(days=1)


@dataclass(frozen=True)
class Reconcile:
    """Finds overdue updates; ``everything`` looks at the whole retention, not just at the deadline's reach."""

    queue: UpdateQueue
    outcomes: OutcomeStore
    repository: OutcomeRepository
    clock: Clock
    deadline: timedelta

    @redacts_errors
    def __call__(self, *, everything: bool = False) -> int:
        """How many updates were put back."""
        now, head = self.clock.now(), self.queue.head()
        since = None if everything else now - self.deadline - _BEYOND_DEADLINE
        overdue = [one for one in self._open(since) if is_overdue(one, now, head.inserted)]
        requeue = sum(self._put_back(one, now) for one in overdue)
        if requeue:
            log.warning("overdue updates put back", extra={"count": requeue})
        return requeue

    def _open(self, since: datetime | None) -> Iterator[Outcome]:
        wanted = OutcomeFilter(states=(State.QUEUED, State.WAITING), created_after=since)
        continuation: str | None = None
        while True:
            page = self.outcomes.list(wanted, _PAGE, continuation)
            yield from page.outcomes
            continuation = page.continuation
            if continuation is None:
                return

    def _put_back(self, listed: Outcome, now: datetime) -> bool:
        known = self.repository.get(listed.id)
        if known is None or known.outcome.state.final or known.outcome.envelope is None:
            return False
        again = known.outcome.envelope.next_attempt()
        self.queue.put(again.to_json())
        log.warning("overdue", extra={"update_id": again.id, "attempt": again.attempt})
        # The number makes every older message of it fall away.
        self.repository.move(again, known, lambda one: replace(one, attempt=again.attempt, last_action=now))
        return True
