"""How long turns wait in place, in virtual time."""

from dataclasses import replace

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.rate_limit import Quota, RateLimitState
from shared.core.rate_limit.outage import FAULTS_TO_OPEN, Breaker
from shared.core.rate_limit.route import Route
from shared.core.rate_limit.state import record_success
from tests.builders import NOW
from tests.service.rate_limiter.fleet import POLICY, Fleet

QUOTA = Quota(100, 20_000)
FIVE_MINUTES = 300


@pytest.mark.parametrize("retry_after", [30.0, 200.0, 43_200.0])
def test_a_hold_keeps_no_turn_for_more_than_five_minutes(retry_after: float) -> None:
    """Also turns that did not know of it when they began to wait; nobody writes before its end."""
    throttled = GraphReply(429, retry_after_seconds=retry_after)
    fleet = Fleet(QUOTA, instances=3, answer=lambda policy, user, at: throttled if 10 < at < 10.3 else GraphReply(200))
    fleet.run([POLICY] * 300)
    begun = min(at for at, _, status in fleet.sent if status == 429)
    assert fleet.longest_turn <= FIVE_MINUTES
    assert not [at for at, _, _ in fleet.sent if begun + 3 < at < begun + retry_after]
    assert sum(status == 200 for _, _, status in fleet.sent) == 300


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", [503, None])
def test_an_outage_of_two_hours_keeps_no_turn_for_more_than_five_minutes(status: int | None) -> None:
    """Its updates go back to the queue meanwhile."""
    away = GraphReply(status, identity_fault=None if status else "no token")
    fleet = Fleet(QUOTA, instances=2, answer=lambda policy, user, at: away if at < 7_200 else GraphReply(200))
    fleet.run([f"policy-{n % 3}" for n in range(60)])
    assert fleet.longest_turn <= FIVE_MINUTES
    assert sum(status == 200 for _, _, status in fleet.sent) == 60


def test_a_row_written_by_a_wrong_clock_stops_nobody() -> None:
    """Every time in it is 300 days ahead."""
    ahead = int(NOW.timestamp() * 1000) + 300 * 86_400_000
    wrong = Breaker(("a",) * FAULTS_TO_OPEN, ahead, ahead, ahead, ahead)
    fleet = Fleet(QUOTA, instances=2)
    fleet.row.pacing = RateLimitState(
        stamps=tuple(range(ahead, ahead + 100)),
        hold_until=ahead,
        everyone=wrong,
        policies=((POLICY, wrong),),
        route=Route(confirmed=True, retry_at=ahead),
    )
    fleet.run([POLICY] * 30)
    assert len(fleet.sent) == 30
    assert max(at for at, _, _ in fleet.sent) <= 20


def test_a_hold_of_another_instance_is_seen_before_the_next_write() -> None:
    """By turns that hold slots already, within seconds."""
    fleet = Fleet(QUOTA, instances=1)
    fleet.row.pacing = record_success(RateLimitState(), POLICY)

    def held(policy: str, user: str, at: float) -> GraphReply:
        if at > 10 and not fleet.row.pacing.hold_until:
            until = int(NOW.timestamp() * 1000) + 100_000
            fleet.row.pacing = replace(fleet.row.pacing, hold_until=until)
            fleet.row.etag += 1
        return GraphReply(200)

    fleet.answer = held
    fleet.run([POLICY] * 200)
    assert not [at for at, _, _ in fleet.sent if 13 < at < 100]
