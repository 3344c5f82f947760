"""The write quota and the hold that all instances share: arithmetic on one small row.

Quota: the row lists, for the last window, the latest moment at which each reserved slot may be used (its stamp). A slot
opens no sooner than one window and a margin after the stamp ``count`` places before it, so no window, wherever it
starts, holds more than ``count`` writes. What that costs: margin and validity, under 2 % of a 20 s window.
Slots lie at least half the mean spacing apart: a burst is served at twice the sustained rate.

Hold: nobody writes before ``hold_until``, which Graph asked for (Retry-After). After ``FAULTS_TO_OPEN`` faults in a
row on different user statuses the row is *open*: nobody writes before ``pause_until``, then one probe at a time, after
pauses that grow with the outage; the first success closes it.
All times are whole milliseconds since 1970 in UTC.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, replace

#: Consecutive faults on different user statuses before all instances hold.
FAULTS_TO_OPEN = 5
#: The shared backoff goes up to a minute.
PROBE_PAUSE_MAX = 60_000
PROBE_PAUSE_MIN = 1_000
#: A pause is the outage's length so far by this: an outage lasts at most a twentieth longer than it has to.
OUTAGE_BY_PAUSE = 20
#: Slots that all instances together may have booked and not used yet.
MAX_BOOKED = 64
_SMALLEST_SHARE = 20
_PATIENCE_MAX = 1_000


@dataclass(frozen=True)
class Quota:
    """``count`` writes in any ``window`` milliseconds, with what is kept back from it (docs/graph-facts.md#f4)."""

    count: int
    window: int

    @property
    def margin(self) -> int:
        """Kept free between windows for clock skew between instances and for the way to Graph."""
        return max(_SMALLEST_SHARE, self.window // 80)

    @property
    def validity(self) -> int:
        """How long a slot may be used while the quota is scarce."""
        return max(_SMALLEST_SHARE, self.window // 200)

    @property
    def patience(self) -> int:
        """How long a slot may be used while half of the quota is free: being late then costs nobody."""
        return max(self.validity, min(_PATIENCE_MAX, self.window // 20))

    @property
    def gap(self) -> int:
        """The least distance of two slots."""
        return self.window // self.count // 2


@dataclass(frozen=True)
class Slot:
    """Leave to put one write on the wire between these moments."""

    opens: int
    closes: int


@dataclass(frozen=True)
class RateLimitState:
    """The shared row."""

    stamps: tuple[int, ...] = ()
    hold_until: int = 0
    pause_until: int = 0
    faults: tuple[str, ...] = ()
    open_since: int = 0
    probe: int = 0
    probe_until: int = 0

    @property
    def open(self) -> bool:
        """Whether an outage is on, so that only probes go out."""
        return len(self.faults) >= FAULTS_TO_OPEN

    @property
    def closed_until(self) -> int:
        """Before this moment nobody writes."""
        return max(self.hold_until, self.pause_until, self.probe_until if self.open else 0)

    def admits(self, slot: Slot) -> bool:
        """Whether a write may go out in this slot as far as the hold is concerned; an open row admits its probe."""
        if self.open and slot.closes != self.probe:
            return False
        return max(self.hold_until, self.pause_until) <= slot.opens


@dataclass(frozen=True)
class Reserved:
    """A reservation: the row to write and the slots it gives."""

    pacing: RateLimitState
    slots: tuple[Slot, ...]


def reserve(pacing: RateLimitState, quota: Quota, *, now: int, count: int, probe_lasts: int) -> Reserved:
    """Book the next ``count`` slots; during an outage the probe's one, or none while a probe is under way."""
    stamps = list(_recent(pacing.stamps, quota, now))
    if pacing.open:
        if now < pacing.probe_until:
            return Reserved(pacing, ())
        count = 1
    slots = tuple(_book(stamps, quota, max(now, pacing.hold_until, pacing.pause_until)) for _ in range(count))
    booked = replace(pacing, stamps=tuple(stamps))
    if pacing.open:
        booked = replace(booked, probe=slots[0].closes, probe_until=slots[0].closes + probe_lasts)
    return Reserved(booked, slots)


def give_back(pacing: RateLimitState, slots: Iterable[Slot]) -> RateLimitState:
    """The row without slots that were not used."""
    stamps = list(pacing.stamps)
    for slot in slots:
        if slot.closes in stamps:
            stamps.remove(slot.closes)
        if slot.closes == pacing.probe:
            pacing = replace(pacing, probe=0, probe_until=0)
    return replace(pacing, stamps=tuple(stamps))


def hold(pacing: RateLimitState, until: int) -> RateLimitState:
    """Everyone waits until then at least."""
    return replace(pacing, hold_until=max(pacing.hold_until, until))


def fault(pacing: RateLimitState, key: str, *, now: int, jitter: float) -> RateLimitState:
    """One more fault in a row, on this user status; opens the row, or makes the next probe wait longer."""
    if pacing.open:
        if now < pacing.pause_until:  # a call from before the pause tells nothing new
            return pacing
        return _pause(pacing, now, jitter)
    if key in pacing.faults:
        return pacing
    more = replace(pacing, faults=(*pacing.faults, key))
    return _pause(replace(more, open_since=now), now, jitter) if more.open else more


def used(pacing: RateLimitState, quota: Quota, now: int) -> int:
    """How many writes of the window that ends now have had their slot."""
    return sum(now - quota.window < stamp <= now for stamp in pacing.stamps)


def success(pacing: RateLimitState) -> RateLimitState:
    """A call went through: the count starts anew, an outage is over."""
    if not pacing.faults:
        return pacing
    return replace(pacing, faults=(), open_since=0, pause_until=0, probe=0, probe_until=0)


def _pause(pacing: RateLimitState, now: int, jitter: float) -> RateLimitState:
    longest = min(PROBE_PAUSE_MAX, max(PROBE_PAUSE_MIN, (now - pacing.open_since) // OUTAGE_BY_PAUSE))
    pause = longest // 2 + int(longest // 2 * jitter)
    return replace(pacing, pause_until=now + pause, probe=0, probe_until=0)


def _recent(stamps: tuple[int, ...], quota: Quota, now: int) -> tuple[int, ...]:
    """The stamps that still count: older ones can bound no slot that is yet to open.

    Those far ahead were booked by a clock that has since been set back; they must not stop everyone.
    """
    oldest = bisect_right(stamps, now - quota.window - quota.margin - quota.validity)
    ahead = 3 * quota.window + _PATIENCE_MAX + MAX_BOOKED * (quota.window + quota.margin) // quota.count
    return stamps[oldest : bisect_right(stamps, now + ahead)]


def _book(stamps: list[int], quota: Quota, earliest: int) -> Slot:
    scarce = len(stamps) * 2 >= quota.count
    validity = quota.validity if scarce else quota.patience
    stamp = max(earliest + validity, stamps[-1] + quota.gap if stamps else 0)
    if len(stamps) >= quota.count:
        stamp = max(stamp, stamps[-quota.count] + quota.window + quota.margin + validity)
    insort(stamps, stamp)
    return Slot(stamp - validity, stamp)
