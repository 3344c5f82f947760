"""What an outage costs, and how soon its end is noticed, in virtual time."""

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.rate_limit import Quota
from tests.service.rate_limiter.fleet import Fleet

QUOTA = Quota(100, 20_000)
OK, FORBIDDEN, NO_TOKEN = GraphReply(200), GraphReply(403), GraphReply(None, identity_fault="none")
NO_ROUTE = GraphReply(400, judged=ReplyKind.ROUTE_MISSING)


@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize(
    "reply",
    [GraphReply(403, judged=kind) for kind in (ReplyKind.APPROVAL_REQUIRED, ReplyKind.LICENCE_MISSING)]
    + [GraphReply(404, judged=ReplyKind.FOREIGN), FORBIDDEN, NO_TOKEN],
    ids=lambda reply: reply.kind.value,
)
@pytest.mark.parametrize("policies", [1, 10])
def test_an_outage_costs_few_calls(instances: int, policies: int, reply: GraphReply) -> None:
    """60 waiting updates, of one policy or of ten: 25 calls at most in 15 s."""
    fleet = Fleet(QUOTA, instances=instances, answer=lambda policy, user, at: reply if at < 60 else OK)
    fleet.run([f"policy-{n % policies}" for n in range(60)])
    refused = [at for at, _, status in fleet.sent if status != 200]
    assert sum(at < 15 for at in refused) <= 25
    assert len(fleet.sent) - len(refused) == 60


@pytest.mark.parametrize("policies", [1, 10])
def test_a_mended_grant_is_noticed_within_a_minute(policies: int) -> None:
    """However long the outage was."""
    fleet = Fleet(QUOTA, instances=2, answer=lambda policy, user, at: FORBIDDEN if at < 1_800 else OK)
    fleet.run([f"policy-{n % policies}" for n in range(40)])
    delivered = sorted(at for at, _, status in fleet.sent if status == 200)
    assert delivered[0] <= 1_860
    assert delivered[-1] <= 1_920


@pytest.mark.parametrize("instances", [1, 3])
def test_one_policy_that_answers_403_does_not_drag_down_the_others(instances: int) -> None:
    """The good one's updates get nearly the whole quota, the bad one's cost little."""
    fleet = Fleet(
        QUOTA,
        instances=instances,
        answer=lambda policy, user, at: FORBIDDEN if policy == "bad" and at < 120 else OK,
    )
    fleet.run(["bad", "good"] * 300)
    good = [at for at, policy, _ in fleet.sent if policy == "good"]
    assert len(good) == 300
    assert max(good) <= 70
    assert sum(status == 403 for _, _, status in fleet.sent) <= 30


@pytest.mark.parametrize("call_seconds", [0.1, 1.0])
@pytest.mark.parametrize("instances", [1, 3, 40])
def test_a_missing_route_costs_ten_writes_at_most(instances: int, call_seconds: float) -> None:
    """Over any number of instances that all begin at the same time."""
    fleet = Fleet(QUOTA, instances=instances, threads=8, call_seconds=call_seconds, answer=lambda *_: NO_ROUTE)
    fleet.run(["policy"] * 300)
    assert len(fleet.sent) <= 10
    assert len(fleet.sent) + fleet.missing == 300


@pytest.mark.parametrize("instances", [1, 3, 10])
def test_a_route_that_goes_missing_costs_ten_writes_at_most(instances: int) -> None:
    """In the middle of a backlog."""
    fleet = Fleet(QUOTA, instances=instances, answer=lambda policy, user, at: NO_ROUTE if at > 20 else OK)
    fleet.run(["policy"] * 400)
    assert sum(status == 400 for _, _, status in fleet.sent) <= 10
    assert fleet.missing > 200


def test_calls_that_hang_on_a_new_installation_do_not_stop_the_others() -> None:
    """Although nothing has shown yet that there is a route."""
    fleet = Fleet(QUOTA, hangs={"user-0": 60.0})
    fleet.run(["policy"] * 20)
    assert sorted(fleet.ended)[-2] <= 15
