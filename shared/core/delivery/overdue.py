"""Which updates have lost their message: due for a while, not waiting on purpose, and passed by the queue.

A killed instance keeps what it had taken for as long as the host leases a message, ten minutes
(docs/graph-facts.md#f87): the update must not wait for that.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.delivery.outcome import Outcome, State

#: A turn takes less, from the moment at which its message shows.
OVERDUE_AFTER = timedelta(minutes=1)
#: An update gets another message once in this time: by then a host gives back what a killed instance had taken.
PUT_BACK_EVERY = timedelta(minutes=10)
#: Turns wait for their slot: each instance books some at a time, and has several times as many turns.
_TURNS_BY_BOOKED = 4


@dataclass(frozen=True)
class Surroundings:
    """What reconciliation sees beside the updates.

    ``head`` is when the first visible message of the normal lane's queue was put there, None where no message is
    visible; ``bulk_head`` the same of the bulk lane's. A bulk turn waits for ``bulk_wait`` while normal updates use the
    quota. Nobody could write before ``held_until``, for a policy of ``policies`` (in lower case) before the time there.
    Slots are booked up to ``booked_until``; ``spacing`` is the time between two writes at the full quota. ``pauses``
    are those that hold updates, or are about to put back what they held.
    """

    now: datetime
    head: datetime | None
    held_until: datetime
    policies: Mapping[str, datetime] = field(default_factory=dict)
    booked_until: datetime | None = None
    spacing: timedelta = timedelta(0)
    pauses: frozenset[str] = frozenset()
    bulk_head: datetime | None = None
    bulk_wait: timedelta = timedelta(0)

    @property
    def reach(self) -> datetime:
        """Return the acceptance time before which updates may be overdue; later ones are young or in the backlog."""
        latest = self.now - OVERDUE_AFTER
        return max(latest if head is None else min(latest, head) for head in (self.head, self.bulk_head))

    @property
    def slot_wait(self) -> timedelta:
        """Return how long a turn may wait for its slot: the longer, the further ahead slots are booked."""
        return _TURNS_BY_BOOKED * max(timedelta(0), (self.booked_until or self.now) - self.now)


def overdue_updates(outcomes: Iterable[Outcome], around: Surroundings) -> list[Outcome]:
    """Return the open updates that should have had their turn by now.

    Updates that waited for an outage of their policy come back from the queue one after the other when it ends, in the
    quota's pace: so many of them take so long.
    """
    late = [outcome for outcome in outcomes if is_overdue(outcome, around)]
    crowds = Counter(_policy(outcome) for outcome in late)

    def has_had_time(outcome: Outcome) -> bool:
        policy = _policy(outcome)
        held = around.policies.get(policy)
        return held is None or held + OVERDUE_AFTER + crowds[policy] * around.spacing <= around.now

    return [outcome for outcome in late if has_had_time(outcome)]


def is_overdue(outcome: Outcome, around: Surroundings) -> bool:
    """Whether an open update was due for a while, and its message is not in the queue's backlog."""
    if outcome.state is State.HELD and outcome.held_by in around.pauses:
        return False
    due = max(outcome.last_action, outcome.next_attempt or outcome.created, around.held_until)
    due = max(due, outcome.moved or due)
    bulk = outcome.update is not None and outcome.update.bulk
    head, wait = (around.bulk_head, around.bulk_wait) if bulk else (around.head, timedelta(0))
    if due + max(OVERDUE_AFTER, around.slot_wait, wait) > around.now:
        return False
    if outcome.put_back is not None and outcome.put_back + PUT_BACK_EVERY > around.now:
        return False
    return head is None or head > due


def _policy(outcome: Outcome) -> str:
    return outcome.update.device_compliance_policy_id.lower() if outcome.update is not None else ""
