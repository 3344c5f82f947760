"""The shared row in storage, as other versions write and read it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.storage_tables.rate_limit_table import from_columns, to_columns
from shared.core.rate_limit import Quota, RateLimitState
from shared.core.rate_limit.outage import FAULTS_TO_OPEN, Breaker
from shared.core.rate_limit.quota import Demand
from shared.core.rate_limit.state import MAX_POLICIES, Fault, record_fault, reserve

NOW = 1_795_000_000_000


def test_a_row_of_the_first_version_is_read() -> None:
    """It had one breaker and no route."""
    old = {"hold_until": 5, "pause_until": 6, "open_since": 1, "probe": 7, "probe_until": 8}
    row = {"Pacing": json.dumps(old | {"stamps": [10, 190], "faults": ["a"] * FAULTS_TO_OPEN})}
    state = from_columns(row)
    assert state.stamps == (10, 200)
    assert state.hold_until == 5
    assert state.everyone == Breaker(("a",) * FAULTS_TO_OPEN, 1, 6, 7, 8)


def test_the_first_version_can_read_the_row() -> None:
    """It fails on members of its column that it does not know."""
    known = {"stamps", "hold_until", "pause_until", "faults", "open_since", "probe", "probe_until"}
    assert json.loads(to_columns(RateLimitState())["Pacing"]).keys() == known


@given(st.dictionaries(st.text(min_size=1).map("later_{}".format), st.integers() | st.text(), max_size=3))
def test_members_of_a_later_version_are_kept(later: dict[str, int | str]) -> None:
    """Both columns may have more of them."""
    columns = {name: json.dumps(json.loads(text) | later) for name, text in to_columns(RateLimitState()).items()}
    state, slots = reserve(from_columns(columns), Quota(100, 20_000), Demand(now=NOW, earliest=NOW, until=NOW + 500))
    assert slots
    for text in to_columns(state).values():
        assert later.items() <= json.loads(text).items()


def test_the_row_stays_small() -> None:
    """With the quota used up, a minute reserved ahead, and faults of many policies."""
    state = RateLimitState()
    for n in range(20 * MAX_POLICIES):
        fault = Fault(f"user-{n}", f"3f1c2a4e-6a0d-4c58-9b7e-{n % (2 * MAX_POLICIES):012}")
        state = record_fault(state, fault, now=NOW, jitter=1.0)
    stamps = tuple(range(NOW, NOW + 400 * 200, 200))
    columns = to_columns(RateLimitState(stamps=stamps, policies=state.policies, everyone=state.everyone))
    assert from_columns(columns).stamps == stamps
    assert sum(map(len, columns.values())) < 8_000
