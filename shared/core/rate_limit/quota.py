"""The write quota: a sliding window over the moments at which reserved slots close.

The shared row keeps, for the last window, the latest moment at which each reserved slot may be used (its stamp). A slot
opens no sooner than one window and a margin after the stamp ``count`` places before it. So no window, wherever it
starts, holds more than ``count`` writes. The price is the margin and the validity: under 2 % of a window of 20 s.
Slots lie at least half the mean spacing apart: a burst is served at twice the sustained rate.

No slot is reserved more than ``MAX_AHEAD`` ahead. So a stamp that lies further ahead comes from a clock that was wrong,
and is ignored.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: No slot opens later than this after the moment of its reservation.
MAX_AHEAD = 60_000
#: How far the clocks of two instances may differ before their times are ignored.
MAX_CLOCK_SKEW = 30_000
_MIN_SHARE = 20
_MAX_PATIENCE = 1_000


@dataclass(frozen=True)
class Quota:
    """``count`` writes in any ``window`` milliseconds, and what is kept back (docs/graph-facts.md#f4)."""

    count: int
    window: int

    @property
    def margin(self) -> int:
        """Return what is kept free between windows, for clock skew and for the way to Graph, in milliseconds."""
        return max(_MIN_SHARE, self.window // 80)

    @property
    def validity(self) -> int:
        """Return how long a slot may be used while the quota is scarce, in milliseconds."""
        return max(_MIN_SHARE, self.window // 200)

    @property
    def patience(self) -> int:
        """Return how long a slot may be used while half of the quota is free: a late write then costs nobody."""
        return max(self.validity, min(_MAX_PATIENCE, self.window // 20))

    @property
    def even_gap(self) -> int:
        """Return a distance that spreads a backlog over the window, in milliseconds: no part of it is without slots."""
        return self.window * 15 // (self.count * 16)

    @property
    def gap(self) -> int:
        """Return the least distance between two slots, in milliseconds."""
        return self.window // self.count // 2


@dataclass(frozen=True)
class Slot:
    """Permission to start one write from ``opens`` to ``closes``; ``bulk``: the bulk lane's share, kept for it."""

    opens: int
    closes: int
    bulk: bool = False


@dataclass(frozen=True)
class Demand:
    """What one reservation asks for.

    ``count`` slots, none of which opens before ``earliest``; beyond them as many of ``spare`` as open before ``until``.
    ``gap`` widens the distance between slots. ``bulk``: for the bulk lane, up to ``until_contested`` alone where
    normal updates came lately.
    """

    now: int
    earliest: int
    count: int = 1
    spare: int = 0
    until: int = 0
    gap: int = 0
    bulk: bool = False
    until_contested: int = 0


def reserve(stamps: tuple[int, ...], quota: Quota, demand: Demand) -> tuple[tuple[int, ...], tuple[Slot, ...]]:
    """Return the stamps with the new slots, and these slots: fewer than asked for where ``MAX_AHEAD`` ends them."""
    booked, slots = list(current(stamps, quota, demand.now)), list[Slot]()
    while len(slots) < demand.count + demand.spare:
        slot = _next(booked, quota, demand)
        limit = MAX_AHEAD if len(slots) < demand.count else min(MAX_AHEAD, demand.until - demand.now)
        if slot.opens > demand.now + limit:
            break
        booked.append(slot.closes)
        slots.append(slot)
    return tuple(booked), tuple(slots)


def release(stamps: tuple[int, ...], slots: Iterable[Slot]) -> tuple[int, ...]:
    """Return the stamps without slots that were not used."""
    left = list(stamps)
    for slot in slots:
        if slot.closes in left:
            left.remove(slot.closes)
    return tuple(left)


def used(stamps: tuple[int, ...], quota: Quota, now: int) -> int:
    """Return how many slots of the window that ends now have closed."""
    return sum(now - quota.window < stamp <= now for stamp in stamps)


def scarce(stamps: Sequence[int], quota: Quota, now: int) -> bool:
    """Return whether half of the quota or more is reserved: a slot that is missed then costs somebody."""
    return (len(stamps) - bisect_right(stamps, now - quota.window)) * 2 >= quota.count


def current(stamps: tuple[int, ...], quota: Quota, now: int) -> tuple[int, ...]:
    """Return the stamps that count: not too old to bound a new slot, and not from a clock that was wrong."""
    oldest = now - quota.window - quota.margin - quota.patience
    newest = now + MAX_AHEAD + quota.patience + MAX_CLOCK_SKEW
    # An instance whose clock is behind needs some that are too old here: the last ones stay for it.
    last = min(bisect_right(stamps, oldest), max(0, len(stamps) - quota.count))
    first = max(last, bisect_right(stamps, oldest - MAX_CLOCK_SKEW))
    return stamps[first : bisect_right(stamps, newest)]


def _next(stamps: list[int], quota: Quota, demand: Demand) -> Slot:
    """Return the first slot that the quota allows."""
    validity = quota.validity if scarce(stamps, quota, demand.now) else quota.patience
    gap = max(quota.gap, demand.gap)
    stamp = max(demand.earliest + validity, stamps[-1] + gap if stamps else 0)
    if len(stamps) >= quota.count:
        stamp = max(stamp, stamps[-quota.count] + quota.window + quota.margin + validity)
    return Slot(stamp - validity, stamp)
