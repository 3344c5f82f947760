"""Which updates have lost their message: due for a while, not waiting on purpose, and passed by the queue.

A killed instance keeps what it had taken for as long as the host leases a message, ten minutes
(docs/graph-facts.md#f87): the update must not wait for that.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.core.delivery.error_body import MAX_RETRY_AFTER
from shared.core.delivery.outcome import Outcome
from shared.core.rate_limit import RateLimitState

#: A turn takes less, from the moment at which its message shows.
OVERDUE_AFTER = timedelta(minutes=1)
#: An update gets another message once in this time: by then a host gives back what a killed instance had taken.
PUT_BACK_EVERY = timedelta(minutes=10)
_MAX_HOLD = timedelta(seconds=MAX_RETRY_AFTER)
#: Turns wait for their slot: each instance books some at a time, and has several times as many turns.
_TURNS_BY_BOOKED = 4


@dataclass(frozen=True)
class Surroundings:
    """What reconciliation sees beside an update.

    ``head`` is when the queue's first visible message was put there, None where no message is visible. Nobody could
    write before ``held_until``. A turn that waits for its slot takes up to ``slot_wait``.
    """

    now: datetime
    head: datetime | None
    held_until: datetime
    slot_wait: timedelta = timedelta(0)

    @property
    def reach(self) -> datetime:
        """Return the acceptance time before which updates may be overdue; later ones are young or in the backlog."""
        latest = self.now - OVERDUE_AFTER
        return latest if self.head is None else min(latest, self.head)


def held_until(state: RateLimitState, now: datetime) -> datetime:
    """Return until when nobody writes; a hold further ahead than any may be is a wrong clock's."""
    held = datetime.fromtimestamp(state.closed_until / 1000, UTC)
    return held if held <= now + _MAX_HOLD else now


def slot_wait(state: RateLimitState, now: datetime) -> timedelta:
    """Return how long a turn may wait for its slot: the longer, the further ahead slots are booked."""
    booked_until = max(state.stamps, default=0) / 1000
    return _TURNS_BY_BOOKED * timedelta(seconds=max(0.0, booked_until - now.timestamp()))


def is_overdue(outcome: Outcome, around: Surroundings) -> bool:
    """Whether an open update should have had its turn by now, and its message is not in the queue's backlog."""
    due = max(outcome.last_action, outcome.next_attempt or outcome.created, around.held_until)
    if due + max(OVERDUE_AFTER, around.slot_wait) > around.now:
        return False
    if outcome.put_back is not None and outcome.put_back + PUT_BACK_EVERY > around.now:
        return False
    return around.head is None or around.head > due
