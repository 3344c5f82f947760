"""A circuit breaker that instances share: after several faults in a row only one probe at a time goes out.

The pauses between probes grow with the outage, up to a minute; the first success closes the breaker.
"""

from dataclasses import dataclass, replace

from shared.core.rate_limit.quota import MAX_AHEAD, MAX_CLOCK_SKEW, Slot

#: Consecutive faults on different user statuses that open a breaker.
FAULTS_TO_OPEN = 5
#: The longest pause leaves time for the probe itself: a mended grant is noticed within a minute.
MAX_PAUSE = 50_000
MIN_PAUSE = 1_000
#: A pause is this fraction of the outage's length so far.
_PAUSES_AN_OUTAGE = 10


@dataclass(frozen=True)
class Breaker:
    """Faults in a row, by the user status's digest; open when there are ``FAULTS_TO_OPEN``.

    ``probe`` is the moment at which the probe's slot closes, ``probe_until`` when its caller counts as dead.
    """

    faults: tuple[str, ...] = ()
    open_since: int = 0
    pause_until: int = 0
    probe: int = 0
    probe_until: int = 0

    @property
    def open(self) -> bool:
        """Return whether an outage is on, so that only probes go out."""
        return len(self.faults) >= FAULTS_TO_OPEN

    @property
    def blocked_until(self) -> int:
        """Return the moment before which no further call goes out; 0 while the breaker is closed."""
        return max(self.pause_until, self.probe_until) if self.open else 0

    def admits(self, slot: Slot) -> bool:
        """Return whether a call may go out in this slot: while the breaker is open, only the probe's."""
        return not self.open or (slot.closes == self.probe and slot.opens >= self.pause_until)


CLOSED = Breaker()


def count_fault(breaker: Breaker, key: str, *, now: int, jitter: float) -> Breaker:
    """Return the breaker after one more fault on this user status; an open one makes the next probe wait longer."""
    if breaker.open:
        # A call that was under way when the pause began says nothing new.
        return breaker if now < breaker.pause_until else _paused(breaker, now, jitter)
    if key in breaker.faults:
        return breaker
    more = replace(breaker, faults=(*breaker.faults, key))
    return _paused(replace(more, open_since=now), now, jitter) if more.open else more


def trip(breaker: Breaker, key: str, *, now: int, jitter: float) -> Breaker:
    """Return the breaker, opened by this one fault."""
    if breaker.open:
        return count_fault(breaker, key, now=now, jitter=jitter)
    return _paused(Breaker(faults=(key,) * FAULTS_TO_OPEN, open_since=now), now, jitter)


def start_probe(breaker: Breaker, slot: Slot, call_milliseconds: int) -> Breaker:
    """Return the breaker with a probe under way in this slot; its caller has the time of one call to answer."""
    return replace(breaker, probe=slot.closes, probe_until=slot.closes + call_milliseconds)


def end_probe(breaker: Breaker, slot: Slot) -> Breaker:
    """Return the breaker without the probe of a slot that was not used."""
    return replace(breaker, probe=0, probe_until=0) if slot.closes == breaker.probe else breaker


def plausible(breaker: Breaker, *, now: int, call_milliseconds: int) -> Breaker:
    """Return the breaker without times further ahead than they may be: a clock that was wrong wrote them."""
    if breaker.pause_until > now + MAX_PAUSE + MAX_CLOCK_SKEW:
        breaker = replace(breaker, pause_until=0)
    if breaker.probe_until > now + MAX_AHEAD + call_milliseconds + 2 * MAX_CLOCK_SKEW:
        breaker = replace(breaker, probe=0, probe_until=0)
    return breaker


def _paused(breaker: Breaker, now: int, jitter: float) -> Breaker:
    longest = min(MAX_PAUSE, max(MIN_PAUSE, (now - breaker.open_since) // _PAUSES_AN_OUTAGE))
    pause = longest - int(longest // 4 * (1 - jitter))
    return replace(breaker, pause_until=now + pause, probe=0, probe_until=0)
