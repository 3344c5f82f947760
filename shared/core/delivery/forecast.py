"""What would become of an update that is not accepted: a pure look ahead at what is stored."""

from shared.core.delivery.user_status import NOTHING, Acceptance, Snapshot, newest
from shared.core.rate_limit import Quota, RateLimitState, quota
from shared.core.rate_limit.lanes import NORMAL_SHARE
from shared.core.rate_limit.quota import Demand


def would_be_superseded(known: Snapshot, acceptance: Acceptance) -> bool:
    """Return whether Graph has, or will have, a newer value of each of its properties: it would need no call."""
    standing = newest(known.row.confirmed if known.row else NOTHING, *(other.values() for other in known.accepted))
    return all(
        name in standing and standing[name].version > value.version for name, value in acceptance.values().items()
    )


def ahead(normal: int, bulk: int, *, of_bulk: bool) -> int:
    """Return how many of the two lanes' messages come before an update that is accepted now.

    Normal updates wait for each other and for the slot of ten that the bulk lane gets; bulk updates wait for all.
    """
    return normal + bulk if of_bulk else normal + min(bulk, normal // NORMAL_SHARE)


def delivery_time(state: RateLimitState, limit: Quota, policy_id: str, *, waiting: int, now: int) -> int:
    """Return when the turn of an update would come that is accepted now, in milliseconds since 1970.

    It comes after ``waiting`` messages, at the pace of the quota, and not during a hold, an outage or
    before the next try of a route that Graph lacks.
    """
    closed_until = max(state.closed_until(policy_id), state.route.retry_at if state.route.latched else 0)
    earliest = max(now, closed_until)
    _, slots = quota.reserve(state.stamps, limit, Demand(now=now, earliest=earliest))
    return (slots[0].opens if slots else earliest) + waiting * limit.window // limit.count
