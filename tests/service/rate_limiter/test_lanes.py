"""Two lanes and one quota, in virtual time: normal updates overtake a backlog of bulk ones, which never starves."""

import pytest

from shared.core.rate_limit import Quota
from tests.service.rate_limiter.lanes import TwoLanes

QUOTA = Quota(100, 20_000)
NOW_AND_THEN = [30.0 + 4 * number for number in range(20)]
#: Eight a second: more than the quota.
TOO_MANY = [20 + number / 8 for number in range(800)]


@pytest.mark.parametrize(
    ("instances", "threads", "storage_seconds"),
    [(1, 8, 0.01), (3, 8, 0.01), (3, 8, 0.12), (10, 8, 0.01), (40, 4, 0.01)],
)
def test_a_normal_update_overtakes_the_backlog(instances: int, threads: int, storage_seconds: float) -> None:
    """Whichever instance it comes to; the quota stays used, and is never overrun."""
    fleet = TwoLanes(
        QUOTA, instances=instances, threads=threads, storage_seconds=storage_seconds, arrivals=list(NOW_AND_THEN)
    )
    fleet.deliver()
    assert len(fleet.waits) == len(NOW_AND_THEN)
    assert max(fleet.waits) <= 5
    assert fleet.fullest_window() <= QUOTA.count
    assert fleet.use() >= 0.97


@pytest.mark.parametrize(
    ("instances", "with_normal"), [(3, 3), (3, 1), (40, 2)], ids=["3 of 3", "1 of 3", "2 of 40 instances"]
)
def test_bulk_gets_its_tenth_while_normal_updates_fill_the_quota(instances: int, with_normal: int) -> None:
    """The demand is known to all: instances that have only bulk updates stand back, and do not starve."""
    fleet = TwoLanes(QUOTA, instances=instances, threads=8, arrivals=list(TOO_MANY), with_normal=with_normal)
    fleet.deliver()
    assert 0.08 <= fleet.share_of_bulk(30, 120) <= 0.13
    assert fleet.fullest_window() <= QUOTA.count
    assert fleet.use() >= 0.97


def test_bulk_alone_uses_the_quota() -> None:
    """Evenly: no part of a window is without slots."""
    fleet = TwoLanes(QUOTA, instances=3, threads=8)
    fleet.deliver()
    assert fleet.fullest_window() <= QUOTA.count
    assert fleet.use() >= 0.97


def test_bulk_takes_over_when_normal_updates_end() -> None:
    """Nothing is left unused after a burst."""
    fleet = TwoLanes(QUOTA, instances=3, threads=8, arrivals=[20.0] * 60)
    fleet.deliver()
    assert len(fleet.waits) == 60
    assert fleet.use() >= 0.97
    assert fleet.share_of_bulk(40, 120) == 1
