"""What instances of 16 threads make of the quota, in virtual time: never over it, and to the full."""

import pytest

from shared.core.rate_limit import Quota, RateLimitState
from shared.core.rate_limit.state import record_success
from tests.service.rate_limiter.fleet import POLICY, Fleet

QUOTA = Quota(100, 20_000)


def delivered(fleet: Fleet, updates: int) -> Fleet:
    """The fleet after so many updates."""
    fleet.row.pacing = record_success(RateLimitState(), POLICY)
    fleet.run([POLICY] * updates)
    assert len(fleet.sent) == updates
    return fleet


@pytest.mark.parametrize(
    ("instances", "storage_seconds", "least"),
    [
        (1, 0.01, 0.97),
        (3, 0.01, 0.97),
        (10, 0.01, 0.97),
        (1, 0.12, 0.95),
        (3, 0.12, 0.95),
        (10, 0.12, 0.95),
        (1, 0.25, 0.8),
        (3, 0.25, 0.8),
    ],
)
def test_a_backlog_uses_the_quota_however_far_storage_is(instances: int, storage_seconds: float, least: float) -> None:
    """The next slots are reserved before the last are used, and a turn gets its slot when it can be ready for it."""
    fleet = delivered(Fleet(QUOTA, instances=instances, storage_seconds=storage_seconds), 700)
    assert fleet.fullest_window() <= 100
    assert fleet.use() >= least


@pytest.mark.parametrize(
    ("instances", "quota", "updates"),
    [(40, QUOTA, 500), (6, Quota(10, 20_000), 60), (10, Quota(10, 2_000), 200)],
    ids=["40 at 100/20", "6 at 10/20", "10 at 10/2"],
)
def test_any_number_of_instances_keeps_any_quota(instances: int, quota: Quota, updates: int) -> None:
    """However many threads wait."""
    fleet = delivered(Fleet(quota, instances=instances, threads=8), updates)
    assert fleet.fullest_window() <= quota.count
    assert fleet.use() >= 0.95


def test_clocks_that_differ_by_seconds_keep_the_quota() -> None:
    """Storage's clock is everyone's."""
    fleet = delivered(Fleet(QUOTA, instances=4, skews=(0.0, 3.0, -3.0, 1.0)), 500)
    assert fleet.fullest_window() <= 100
    assert fleet.use() >= 0.95


@pytest.mark.parametrize("instances", [1, 3])
def test_a_moment_of_slow_storage_is_over_when_it_is_over(instances: int) -> None:
    """Turns that took long then do not make the instance give up slots of turns that do not."""
    fleet = delivered(Fleet(QUOTA, instances=instances, slow_every=20.0), 700)
    assert fleet.fullest_window() <= 100
    assert fleet.use() >= 0.97


@pytest.mark.parametrize("storage_seconds", [0.01, 0.12])
def test_the_calls_of_the_shared_row_stay_few(storage_seconds: float) -> None:
    """A reservation gives several updates their slots."""
    fleet = delivered(Fleet(QUOTA, instances=3, storage_seconds=storage_seconds), 500)
    assert fleet.row.reads + fleet.row.etag <= 500


def test_a_turn_that_gets_no_slot_goes_back_to_the_queue_within_five_minutes() -> None:
    """A quota so small that most updates wait for long."""
    fleet = delivered(Fleet(Quota(1, 600_000), instances=2, threads=4), 5)
    assert fleet.longest_turn <= 300
    assert fleet.deferred
    assert fleet.fullest_window() == 1
