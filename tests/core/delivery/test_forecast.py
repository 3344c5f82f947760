"""A look ahead agrees with what a turn would send."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.basics.version import Version
from shared.core.delivery.forecast import ahead, delivery_time, would_be_superseded
from shared.core.delivery.user_status import NOTHING, Acceptance, Snapshot, UserStatusRow, confirm, newer_values
from shared.core.rate_limit import Quota, RateLimitState
from shared.core.rate_limit.state import hold, record_missing_route
from tests.builders import POLICY, USER, an_id

NAMES = ("status", "devicesCount")
NOW = 1_700_000_000_000
QUOTA = Quota(100, 20_000)


@st.composite
def acceptances(draw: st.DrawFn, number: int) -> Acceptance:
    """Return what an update brings, at one of a few times."""
    names = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    update_id = an_id(n=number)
    return Acceptance(update_id, Version(draw(st.integers(0, 3)), update_id), dict.fromkeys(names, "x"))


@given(acceptances(1), acceptances(2), acceptances(3))
def test_what_would_be_superseded_is_what_a_turn_would_not_send(
    confirmed: Acceptance, waiting: Acceptance, new: Acceptance
) -> None:
    """Whether the newer values stand in Graph or wait."""
    row = confirm(UserStatusRow(POLICY, USER, NOTHING), confirmed.values())
    sent = newer_values(row, (waiting, new)).values()
    expected = all(value.update_id != new.update_id for value in sent)
    assert would_be_superseded(Snapshot(row, accepted=(waiting,)), new) == expected


def test_nothing_known_supersedes_nothing() -> None:
    """The first update of a user is sent."""
    new = Acceptance(an_id(), Version(1, an_id()), {"status": "compliant"})
    assert not would_be_superseded(Snapshot(), new)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_longer_queue_is_never_sooner(waiting: int, more: int) -> None:
    """And no estimate is in the past."""
    first = delivery_time(RateLimitState(), QUOTA, POLICY, waiting=waiting, now=NOW)
    later = delivery_time(RateLimitState(), QUOTA, POLICY, waiting=waiting + more, now=NOW)
    assert NOW <= first <= later


def test_a_hold_and_a_missing_route_put_it_off() -> None:
    """Until the hold's end, or the next try of the route."""
    held = hold(RateLimitState(), NOW + 90_000)
    assert delivery_time(held, QUOTA, POLICY, waiting=0, now=NOW) >= NOW + 90_000
    latched = RateLimitState()
    for key in "abc":
        latched = record_missing_route(latched, POLICY, key, now=NOW)
    assert delivery_time(latched, QUOTA, POLICY, waiting=0, now=NOW) >= NOW + 3_600_000


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_bulk_updates_wait_for_all_and_normal_ones_for_a_tenth_of_them(normal: int, bulk: int) -> None:
    """With an empty bulk lane nothing is added."""
    assert ahead(normal, bulk, of_bulk=True) == normal + bulk
    assert normal <= ahead(normal, bulk, of_bulk=False) <= min(normal + bulk, normal * 10 // 9)
    assert ahead(normal, 0, of_bulk=False) == normal
