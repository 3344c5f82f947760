"""How long everyone holds, as one process has seen it: what waits for the end of a hold is not lost.

The shared row forgets an outage at the success that ends it, but messages that waited for that may still be hidden.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.core.delivery.overdue import Surroundings
from shared.core.rate_limit import Quota, RateLimitState
from shared.core.rate_limit.quota import MAX_AHEAD as _MAX_BOOKED
from shared.core.rate_limit.state import plausible
from shared.service.ports.pauses import PauseStore
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import RateLimitStore
from shared.service.queues import Queues

_FOREVER_AGO = datetime.min.replace(tzinfo=UTC)
#: An outage that ended longer ago explains nothing any more.
_REMEMBERED = timedelta(minutes=15)
#: A bulk turn waits in place for about this long while normal updates use the quota.
_BULK_WAIT = timedelta(minutes=5)


@dataclass
class Holds:
    """One a process; ``call_milliseconds`` is the limit of a whole Graph call."""

    queues: Queues
    rate_limit: RateLimitStore
    pauses: PauseStore
    quota: Quota
    clock: Clock
    call_milliseconds: int
    _everyone: datetime = _FOREVER_AGO
    _policies: dict[str, datetime] = field(default_factory=dict)

    def look(self) -> Surroundings:
        """Return what is seen now: six storage calls."""
        now, (row, _) = self.clock.now(), self.rate_limit.read()
        milliseconds = int(now.timestamp() * 1000)
        pauses = frozenset(stored.pause.id for stored in self.pauses.list())
        self._remember(plausible(row, now=milliseconds, call_milliseconds=self.call_milliseconds), now)
        booked = [stamp for stamp in row.stamps if stamp <= milliseconds + _MAX_BOOKED]
        return Surroundings(
            now=now,
            head=self.queues.normal.head().inserted,
            bulk_wait=_BULK_WAIT if row.lanes.contested(milliseconds) else timedelta(0),
            bulk_head=self.queues.bulk.head().inserted,
            held_until=self._everyone,
            policies=dict(self._policies),
            booked_until=_moment(max(booked, default=0)),
            spacing=timedelta(milliseconds=self.quota.window / self.quota.count),
            pauses=pauses,
        )

    def _remember(self, row: RateLimitState, now: datetime) -> None:
        self._everyone = max(self._everyone, _moment(row.held_until))
        seen = {
            policy_id.lower(): _moment(row.closed_until(policy_id))
            for policy_id, breaker in row.policies
            if breaker.open
        }
        known = {policy_id: until for policy_id, until in self._policies.items() if until + _REMEMBERED > now}
        self._policies = {
            policy_id: max(until for held in (seen, known) if (until := held.get(policy_id)) is not None)
            for policy_id in seen.keys() | known.keys()
        }


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
