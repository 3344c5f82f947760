"""The breaker that instances share."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.rate_limit.outage import (
    CLOSED,
    FAULTS_TO_OPEN,
    MAX_PAUSE,
    Breaker,
    count_fault,
    end_probe,
    plausible,
    start_probe,
    trip,
)
from shared.core.rate_limit.quota import Slot

NOW = 1_795_000_000_000


def opened() -> Breaker:
    """The breaker after as many faults as open it."""
    breaker = CLOSED
    for n in range(FAULTS_TO_OPEN):
        breaker = count_fault(breaker, f"user-{n}", now=NOW, jitter=1.0)
    return breaker


def test_faults_on_one_user_status_open_nothing() -> None:
    """A user that Graph cannot serve is no outage."""
    breaker = CLOSED
    for _ in range(20):
        breaker = count_fault(breaker, "the same", now=NOW, jitter=1.0)
    assert not breaker.open


def test_one_fault_that_no_call_escapes_opens_at_once() -> None:
    """An approval, a licence, a firewall: the second call would fare no better."""
    breaker = trip(CLOSED, "user", now=NOW, jitter=1.0)
    assert breaker.open
    assert breaker.blocked_until > NOW


def test_a_fault_from_before_the_pause_does_not_prolong_it() -> None:
    """Calls that were under way when the breaker opened say nothing new."""
    breaker = opened()
    assert count_fault(breaker, "late", now=breaker.pause_until - 1, jitter=1.0) == breaker
    assert trip(breaker, "late", now=breaker.pause_until - 1, jitter=1.0) == breaker


def test_one_probe_at_a_time() -> None:
    """Until it is answered, given back, or its caller had the time of a call."""
    slot = Slot(NOW + 2_000, NOW + 2_100)
    probing = start_probe(opened(), slot, 30_000)
    assert probing.admits(slot)
    assert not probing.admits(Slot(NOW + 2_001, NOW + 2_101))
    assert probing.blocked_until == slot.closes + 30_000
    assert end_probe(probing, slot).blocked_until <= slot.opens


@given(st.lists(st.floats(0, 1), min_size=80, max_size=80))
def test_pauses_grow_with_the_outage_up_to_a_minute(jitters: list[float]) -> None:
    """15 seconds cost less than 20 probes; hours cost a probe a minute."""
    breaker, now, probes = opened(), NOW, 0
    for jitter in jitters:
        assert breaker.pause_until - now <= MAX_PAUSE
        now = breaker.pause_until
        probes += now < NOW + 15_000
        breaker = count_fault(breaker, "any", now=now, jitter=jitter)
    assert probes < 20
    long_after = count_fault(breaker, "any", now=NOW + 86_400_000, jitter=1.0)
    assert long_after.pause_until == NOW + 86_400_000 + MAX_PAUSE


@given(st.integers(1, 300))
def test_times_of_a_clock_that_was_wrong_are_ignored(days: int) -> None:
    """Neither a pause nor a probe of days ahead stops anyone."""
    ahead = NOW + days * 86_400_000
    wrong = Breaker(("a",) * FAULTS_TO_OPEN, ahead, ahead, ahead, ahead)
    assert plausible(wrong, now=NOW, call_milliseconds=30_000).blocked_until <= NOW


def test_times_that_may_be_are_kept() -> None:
    """A pause and a probe of this minute."""
    breaker = start_probe(opened(), Slot(NOW + 60_000, NOW + 60_100), 30_000)
    assert plausible(breaker, now=NOW, call_milliseconds=30_000) == breaker
