"""The shared row: whom a fault holds back, and for how long."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.rate_limit import Quota, RateLimitState, Slot
from shared.core.rate_limit.outage import CLOSED, FAULTS_TO_OPEN
from shared.core.rate_limit.quota import Demand
from shared.core.rate_limit.route import MAX_MISSING, RETRY_INTERVAL
from shared.core.rate_limit.state import (
    MAX_HOLD,
    MAX_POLICIES,
    Fault,
    end_probe,
    hold,
    plausible,
    record_fault,
    record_missing_route,
    record_refusal,
    record_success,
    release,
    reserve,
    reserve_probe,
)

NOW = 1_795_000_000_000
QUOTA = Quota(100, 20_000)
KNOWN = record_success(RateLimitState(), "any")


def faults(state: RateLimitState, *policies: str | None, at_once: bool = False) -> RateLimitState:
    """The state after a fault of a new user status in each of the policies."""
    for n, policy in enumerate(policies):
        fault = Fault(f"user-{n}-{policy}", policy, at_once=at_once)
        state = record_fault(state, fault, now=NOW, jitter=1.0)
    return state


def probe(
    state: RateLimitState, policy: str = "p", now: int = NOW + 1_000, probing: Slot | None = None
) -> tuple[RateLimitState, Slot | None]:
    """Ask for a probe."""
    demand = Demand(now=now, earliest=now)
    return reserve_probe(state, QUOTA, policy, demand=demand, call_milliseconds=30_000, probing=probing)


def test_a_policy_with_five_faults_in_a_row_holds_back_itself_alone() -> None:
    """One that answers 403 must not drag down the others."""
    state = faults(KNOWN, *["bad"] * FAULTS_TO_OPEN)
    assert state.closed_until("bad") > NOW
    assert state.closed_until("good") <= NOW


def test_faults_in_a_row_of_two_policies_hold_back_everyone() -> None:
    """Five of any, as soon as two policies are among them."""
    state = faults(KNOWN, "a", "a", "a", "a", "b")
    assert state.closed_until("a") > NOW
    assert state.closed_until("another") > NOW
    assert faults(KNOWN, *["a"] * 9, "b").everyone.open


def test_a_fault_that_is_no_policys_own_holds_back_everyone() -> None:
    """No token, no connection."""
    assert faults(KNOWN, *[None] * FAULTS_TO_OPEN).everyone.open
    assert not faults(KNOWN, *[None] * (FAULTS_TO_OPEN - 1)).everyone.open


def test_one_fault_that_no_call_escapes_is_enough() -> None:
    """An approval, a licence, a firewall."""
    assert faults(KNOWN, "p", at_once=True).closed_until("another") > NOW


def test_a_success_between_the_faults_starts_the_count_again() -> None:
    """Consecutive ones only; another policy's success says nothing about this policy."""
    state = KNOWN
    for _ in range(20):
        state = record_success(faults(state, "p"), "p")
    assert state == KNOWN
    for n in range(FAULTS_TO_OPEN):
        state = record_success(record_fault(state, Fault(f"u{n}", "bad"), now=NOW, jitter=1.0), "good")
    assert state.closed_until("bad") > NOW
    assert not state.everyone.faults


def test_the_faults_of_an_open_policy_say_nothing_about_everyone() -> None:
    """However many of its probes fail."""
    state = faults(KNOWN, *["bad"] * FAULTS_TO_OPEN)
    for n in range(20):
        state = record_fault(state, Fault(f"probe-{n}", "bad"), now=NOW + n * 60_000, jitter=1.0)
    assert not state.everyone.open


def test_the_first_success_releases_everyone() -> None:
    """And lets policies that are still held back send their probe at once."""
    state = faults(faults(KNOWN, *["bad"] * FAULTS_TO_OPEN), "a", "b", "c", "d", "e")
    assert state.everyone.open
    state = record_success(state, "a")
    assert state.everyone == CLOSED
    assert state.policy("bad").open
    assert state.closed_until("bad") <= NOW


def test_the_row_keeps_few_policies() -> None:
    """The breaker that is open stays; the oldest other one gives way."""
    state = faults(KNOWN, *["bad"] * FAULTS_TO_OPEN)
    for n in range(3 * MAX_POLICIES):
        state = record_success(faults(state, f"policy-{n}"), "good")
    assert len(state.policies) <= MAX_POLICIES
    assert state.policy("bad").open


def test_whoever_asks_second_gets_no_probe() -> None:
    """One at a time, for everyone and for a policy."""
    for state in (faults(KNOWN, *["p"] * FAULTS_TO_OPEN), faults(KNOWN, "p", at_once=True)):
        probing, slot = probe(state)
        assert slot is not None
        assert slot.opens >= state.closed_until("p")
        assert probing.admits(slot, "p")
        assert probe(probing, now=slot.opens)[1] is None
        assert probe(end_probe(probing, "p"), now=slot.opens)[1] is not None
        assert probe(release(probing, (slot,)), now=slot.opens)[1] is not None


def test_the_second_call_of_a_probe_is_the_same_probe() -> None:
    """After a 401 one more call goes out with a new token, and does not wait for itself."""
    state, first = probe(faults(KNOWN, *["p"] * FAULTS_TO_OPEN))
    assert first is not None
    assert state.closed_until("p", first) <= first.opens
    state, second = probe(state, now=first.closes, probing=first)
    assert second is not None
    assert state.admits(second, "p")
    assert second.opens <= first.closes + QUOTA.patience


def test_without_a_route_updates_fail_after_three_user_statuses() -> None:
    """Of different users, in a row."""
    state = KNOWN
    for key in ("a", "a", "b"):
        state = record_missing_route(state, "p", key, now=NOW)
    assert not state.route.latched
    assert not record_missing_route(record_refusal(state, "p"), "p", "c", now=NOW).route.latched
    state = record_missing_route(state, "p", "c", now=NOW)
    assert state.route.latched
    assert record_refusal(state, "p").route.latched
    assert record_success(state, "p").route == KNOWN.route


def test_one_update_an_hour_tries_the_route() -> None:
    """Over all instances; the first one only an hour after the verdict."""
    state = KNOWN
    for n in range(MAX_MISSING):
        state = record_missing_route(state, "p", f"u{n}", now=NOW)
    assert probe(state, now=NOW + 1_000)[1] is None
    state, first = probe(state, now=NOW + RETRY_INTERVAL)
    assert first is not None
    assert probe(state, now=NOW + RETRY_INTERVAL + 1_000)[1] is None
    assert probe(state, now=NOW + 2 * RETRY_INTERVAL)[1] is not None


def test_until_there_is_known_to_be_a_route_slots_are_few() -> None:
    """One at a time, at a distance: the verdict comes before many calls are spent."""
    demand = Demand(now=NOW, earliest=NOW, count=8, until=NOW + 600)
    state, (first,) = reserve(RateLimitState(), QUOTA, demand)
    state, (second,) = reserve(state, QUOTA, demand)
    assert second.opens - first.opens >= 500
    assert reserve(state, QUOTA, demand)[1] == ()
    assert len(reserve(KNOWN, QUOTA, demand)[1]) == 8


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_hold_is_only_ever_prolonged(first: int, second: int) -> None:
    """Two Retry-After answers: the later moment counts, and slots before it are no good."""
    state = hold(hold(KNOWN, NOW + first), NOW + second)
    until = NOW + max(first, second)
    assert state.hold_until == until == state.closed_until("p")
    assert not state.admits(Slot(until - 1, until + 100), "p")
    _, slots = reserve(state, QUOTA, Demand(now=NOW, earliest=NOW))
    assert all(slot.opens >= until for slot in slots)


@pytest.mark.parametrize("distance", [MAX_HOLD + 3_600_000, 300 * 86_400_000])
def test_times_of_a_clock_that_was_wrong_stop_nobody(distance: int) -> None:
    """Each has its own greatest distance; beyond it, it is ignored."""
    wrong = faults(KNOWN, *["p"] * FAULTS_TO_OPEN, "q", at_once=False)
    wrong = hold(
        RateLimitState(
            everyone=replace(wrong.everyone, pause_until=NOW + distance),
            policies=(("p", replace(wrong.policy("p"), probe_until=NOW + distance)),),
            route=replace(wrong.route, missing=("a", "b", "c"), retry_at=NOW + distance),
        ),
        NOW + distance,
    )
    state = plausible(wrong, now=NOW, call_milliseconds=30_000)
    assert state.hold_until == 0
    assert state.closed_until("p") <= NOW + 1_000
    assert state.closed_until("another") <= NOW
    assert state.route.retry_at == 0


def test_a_day_of_hold_is_kept() -> None:
    """Graph may ask for it."""
    state = hold(KNOWN, NOW + MAX_HOLD)
    assert plausible(state, now=NOW, call_milliseconds=30_000) == state
