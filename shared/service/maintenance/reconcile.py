"""The safety net: an update whose message is lost, or held by an instance that was killed, gets another one.

Its turn does the rest; one that was tried and is past its deadline fails there. What waits on purpose is left alone:
for its next attempt, for a hold that everyone keeps, in a backlog, or in a turn that holds its user status.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.delivery.outcome import Outcome, State
from shared.core.delivery.overdue import Surroundings, overdue_updates
from shared.service.maintenance.holds import Holds
from shared.service.outcomes.put_back import PutBack
from shared.service.ports.storage import OutcomeFilter, OutcomeStore, UserStatusStore

log = logging.getLogger(__name__)

_PAGE = 1000
#: Beyond the deadline, so that every update whose turns were lost is seen by a frequent run.
_BEYOND_DEADLINE = timedelta(days=1)
#: What one run puts back: what is left is the next run's.
MAX_PUT_BACK = 1000
_OPEN = tuple(state for state in State if not state.final)


@dataclass(frozen=True)
class Reconcile:
    """Finds overdue updates, once a minute."""

    holds: Holds
    outcomes: OutcomeStore
    user_statuses: UserStatusStore
    put_back: PutBack
    deadline: timedelta

    def __call__(self, *, everything: bool = False) -> int:
        """Return how many updates were put back; ``everything`` looks at the whole retention, not at what is recent."""
        around = self.holds.look()
        if around.held_until > around.now:
            return 0
        count, leased = 0, dict[str, bool]()
        for outcome in overdue_updates(self._open(around, everything=everything), around):
            if not self._is_leased(outcome, around.now, leased):
                count += self._put_back(outcome)
            if max(count, len(leased)) >= MAX_PUT_BACK:
                break
        if count:
            log.warning("overdue updates put back", extra={"count": count})
        return count

    def _open(self, around: Surroundings, *, everything: bool) -> Iterator[Outcome]:
        if not everything:
            yield from self.outcomes.open(around.now - self.deadline - _BEYOND_DEADLINE, around.reach)
            return
        continuation: str | None = None
        while True:
            page = self.outcomes.list(OutcomeFilter(states=_OPEN), _PAGE, continuation)
            yield from page.outcomes
            continuation = page.continuation
            if continuation is None:
                return

    def _is_leased(self, outcome: Outcome, now: datetime, leased: dict[str, bool]) -> bool:
        """Whether a turn holds the update's user status: it may be this update's, and last."""
        envelope = outcome.envelope
        if envelope is None or envelope.update.device_compliance_user_status_id is None:
            return False
        key = envelope.user_status_key
        if key not in leased:
            row = self.user_statuses.read(key, 0).row
            leased[key] = row is not None and row.leased_at(now) is not None
        return leased[key]

    def _put_back(self, outcome: Outcome) -> bool:
        again = self.put_back(outcome.id)
        if again is not None:
            log.warning("overdue", extra={"update_id": again.id, "attempt": again.attempt})
        return again is not None
