"""The shared quota and hold, for any course of events."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.rate_limit import (
    FAULTS_TO_OPEN,
    MAX_BOOKED,
    PROBE_PAUSE_MAX,
    Quota,
    RateLimitState,
    Slot,
    fault,
    give_back,
    hold,
    reserve,
    success,
)

NOW = 1_795_000_000_000
QUOTAS = st.builds(Quota, count=st.integers(1, 120), window=st.sampled_from([1_000, 5_000, 20_000]))


def book(pacing: RateLimitState, quota: Quota, now: int, count: int = 1) -> tuple[RateLimitState, tuple[Slot, ...]]:
    """Reserve slots."""
    reserved = reserve(pacing, quota, now=now, count=count, probe_lasts=30_000)
    return reserved.pacing, reserved.slots


def opened(now: int = NOW) -> RateLimitState:
    """The row after as many faults as open it."""
    pacing = RateLimitState()
    for n in range(FAULTS_TO_OPEN):
        pacing = fault(pacing, f"user-{n}", now=now, jitter=1.0)
    return pacing


@given(QUOTAS, st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 6), st.booleans()), max_size=80), st.data())
def test_no_window_ever_holds_more_writes_than_the_quota(
    quota: Quota, bookings: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    """Whenever within its slot each write is sent, and whatever is given back unused."""
    pacing, now, sent = RateLimitState(), NOW, list[int]()
    for later, count, unused in bookings:
        now += later
        if sum(stamp > now for stamp in pacing.stamps) + count > MAX_BOOKED:
            continue
        pacing, slots = book(pacing, quota, now, count)
        if unused:
            pacing = give_back(pacing, slots)
        else:
            sent += [data.draw(st.integers(slot.opens, slot.closes)) for slot in slots]
    sent.sort()
    for first, beyond in zip(sent, sent[quota.count :], strict=False):
        assert beyond - first > quota.window


@given(QUOTAS)
def test_a_backlog_gets_nearly_all_of_the_quota(quota: Quota) -> None:
    """Ten windows' worth of slots take ten windows and a little: 97 % at a whole window of 20 s."""
    pacing, slots = RateLimitState(), list[Slot]()
    while len(slots) < 10 * quota.count:
        pacing, more = book(pacing, quota, slots[-1].opens if slots else NOW, 4)
        slots += more
    kept_back = quota.margin + quota.validity
    assert slots[10 * quota.count - 1].closes - NOW <= 10 * (quota.window + kept_back) + quota.patience
    if quota.window == 20_000:
        assert kept_back <= 0.03 * quota.window


@given(QUOTAS, st.integers(0, 60))
def test_a_clock_that_was_ahead_and_is_set_back_stops_nobody_for_long(quota: Quota, ahead: int) -> None:
    """Stamps of an hour ahead are dropped."""
    pacing, _ = book(RateLimitState(), quota, NOW + 3_600_000, ahead + 1)
    _, (slot,) = book(pacing, quota, NOW)
    assert slot.opens <= NOW + 2 * quota.window


def test_faults_on_one_user_status_open_nothing() -> None:
    """A user that Graph cannot serve is no outage."""
    pacing = RateLimitState()
    for _ in range(20):
        pacing = fault(pacing, "the same", now=NOW, jitter=1.0)
    assert not pacing.open


def test_a_success_between_the_faults_starts_the_count_anew() -> None:
    """Consecutive ones only."""
    pacing = RateLimitState()
    for n in range(20):
        pacing = success(fault(pacing, f"user-{n}", now=NOW, jitter=1.0))
    assert not pacing.open


def test_an_open_row_gives_one_probe_at_a_time() -> None:
    """Whoever asks second gets none, until the probe is answered, or its caller has died."""
    pacing = opened()
    pacing, (probe,) = book(pacing, Quota(100, 20_000), NOW, 4)
    _, none = book(pacing, Quota(100, 20_000), probe.opens, 4)
    later, (next_probe,) = book(pacing, Quota(100, 20_000), probe.closes + 30_000)

    assert probe.opens >= pacing.pause_until
    assert none == ()
    assert pacing.admits(probe)
    assert later.admits(next_probe)
    assert not later.admits(probe)


@given(st.lists(st.floats(0, 1), min_size=60, max_size=60))
def test_pauses_grow_with_the_outage_up_to_a_minute(jitters: list[float]) -> None:
    """15 seconds cost a handful of probes, hours a probe a minute, and 60 failed probes are over in minutes."""
    pacing, now, probes = opened(), NOW, 0
    for jitter in jitters:
        assert pacing.pause_until - now <= PROBE_PAUSE_MAX
        now = pacing.pause_until
        probes += now < NOW + 15_000
        pacing = fault(pacing, "any", now=now, jitter=jitter)
    assert probes <= 31
    assert now <= NOW + 200_000
    long_after = fault(pacing, "any", now=NOW + 86_400_000, jitter=1.0)
    assert long_after.pause_until == NOW + 86_400_000 + PROBE_PAUSE_MAX


def test_the_first_success_releases_everyone() -> None:
    """As if there had been no outage."""
    pacing = success(opened())
    assert (pacing.open, pacing.closed_until, pacing.faults) == (False, 0, ())


def test_a_fault_from_before_the_pause_does_not_prolong_it() -> None:
    """Calls that were under way when the row opened tell nothing new."""
    pacing = opened()
    assert fault(pacing, "late", now=pacing.pause_until - 1, jitter=1.0) == pacing


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_hold_is_only_ever_prolonged(first: int, second: int) -> None:
    """Two Retry-After answers: the later moment counts, and slots before it are no good."""
    pacing = hold(hold(RateLimitState(), NOW + first), NOW + second)
    until = NOW + max(first, second)
    assert pacing.hold_until == until
    assert not pacing.admits(Slot(until - 1, until + 100))
    _, (slot,) = book(pacing, Quota(100, 20_000), NOW)
    assert slot.opens >= until
