"""Whether Graph has a route for the write (docs/graph-facts.md#f1), as all instances know it.

After ``MAX_MISSING`` answers in a row, on different user statuses, that there is no route, updates fail without a call.
One update an hour still goes out, and the doctor's probe; the first success ends it. Until an answer has shown that
there is a route, calls go out slowly: so the first verdicts arrive before many calls are spent.
"""

from dataclasses import dataclass, replace

from shared.core.rate_limit.quota import MAX_CLOCK_SKEW

MAX_MISSING = 3
#: How often one update tries the route all the same.
RETRY_INTERVAL = 3_600_000
#: The least distance between two calls while it is not known whether there is a route.
UNCONFIRMED_GAP = 500


@dataclass(frozen=True)
class Route:
    """The digests of the user statuses that had no route, in a row; ``retry_at``: when one update may try again."""

    missing: tuple[str, ...] = ()
    confirmed: bool = False
    retry_at: int = 0

    @property
    def latched(self) -> bool:
        """Return whether updates fail without a call."""
        return len(self.missing) >= MAX_MISSING


UNCONFIRMED = Route()


def record_missing(route: Route, key: str, *, now: int) -> Route:
    """Return the route after Graph had none for this user status."""
    if route.latched:
        return route
    missing = route.missing if key in route.missing else (*route.missing, key)
    more = Route(missing, confirmed=False)
    return replace(more, retry_at=now + RETRY_INTERVAL) if more.latched else more


def record_refusal(route: Route) -> Route:
    """Return the route after Graph refused a write for another reason: only a success ends the latch."""
    return route if route.latched else Route(confirmed=True)


def claim(route: Route, *, now: int) -> Route:
    """Return the route after one update took this hour's try."""
    return replace(route, retry_at=now + RETRY_INTERVAL)


def plausible(route: Route, *, now: int) -> Route:
    """Return the route without a time further ahead than it may be."""
    return replace(route, retry_at=0) if route.retry_at > now + RETRY_INTERVAL + MAX_CLOCK_SKEW else route
