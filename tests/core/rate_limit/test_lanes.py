"""How the lanes share the row: what the bulk lane may reserve, and when."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.storage_tables.rate_limit_table import from_columns, to_columns
from shared.core.rate_limit import Quota, RateLimitState, Slot
from shared.core.rate_limit.lanes import CONTESTED_MILLISECONDS, NORMAL_SHARE, Lanes, after_normal, plausible
from shared.core.rate_limit.quota import Demand
from shared.core.rate_limit.route import Route
from shared.core.rate_limit.state import reserve

NOW = 1_795_000_000_000
QUOTA = Quota(100, 20_000)
KNOWN = RateLimitState(route=Route(confirmed=True))


def taken(state: RateLimitState, *, bulk: bool, count: int = 4) -> tuple[RateLimitState, tuple[Slot, ...]]:
    """Reserve for a lane, as an instance does."""
    demand = Demand(now=NOW, earliest=NOW, count=count, until=NOW + 2_000, bulk=bulk, until_contested=NOW + 500)
    return reserve(state, QUOTA, demand)


def test_the_bulk_lane_reserves_only_what_is_near() -> None:
    """So a normal update finds a slot soon."""
    _, slots = taken(KNOWN, bulk=True, count=40)
    assert slots
    assert all(slot.opens <= NOW + 2_000 for slot in slots)


def test_where_normal_updates_came_lately_it_takes_what_opens_at_once() -> None:
    """They reserve further ahead, and come first; what they leave is used."""
    state = replace(KNOWN, lanes=Lanes(contested_until=NOW + 1))
    _, slots = taken(state, bulk=True, count=40)
    assert slots
    assert all(slot.opens <= NOW + 500 for slot in slots)


def test_after_nine_normal_slots_one_is_the_bulk_lanes_however_far_ahead() -> None:
    """It never starves."""
    state, _ = taken(KNOWN, bulk=False, count=NORMAL_SHARE - 1)
    state = replace(state, stamps=(*state.stamps, NOW + 30_000))
    assert taken(state, bulk=True)[1] == ()
    state, (_,) = taken(state, bulk=False, count=1)
    state, (slot,) = taken(state, bulk=True)
    assert slot.bulk
    assert slot.opens > NOW + 29_000
    assert taken(state, bulk=True)[1] == ()


def test_while_the_route_is_unconfirmed_nothing_is_reserved_ahead() -> None:
    """Not even the bulk lane's share."""
    state = RateLimitState(stamps=(NOW + 30_000,), lanes=Lanes(normal=NORMAL_SHARE))
    assert taken(state, bulk=True)[1] == ()


@given(st.integers(0, 2**41), st.integers(0, 200))
def test_a_time_from_a_clock_that_was_wrong_is_ignored(contested_until: int, normal: int) -> None:
    """It would make the bulk lane reserve late for days."""
    lanes = plausible(Lanes(contested_until, normal), now=NOW)
    assert lanes.contested_until <= NOW + CONTESTED_MILLISECONDS + 30_000
    assert lanes.normal == normal


def test_the_row_holds_the_lanes_and_one_of_the_version_before_has_none() -> None:
    """Two versions run side by side."""
    lanes = after_normal(Lanes(), now=NOW, reserved=5)
    columns = to_columns(replace(KNOWN, lanes=lanes))
    assert from_columns(columns).lanes == lanes
    assert from_columns({"Pacing": columns["Pacing"], "Outages": "{}"}).lanes == Lanes()
