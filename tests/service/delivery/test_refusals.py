"""Refused merged writes: the newest update alone, then the rest in one write."""

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.core.delivery.reply_kind import ReplyKind
from tests.builders import reported
from tests.world import World


@pytest.mark.parametrize("count", [2, 50, 200])
def test_a_refused_newest_update_costs_its_user_few_writes(world: World, count: int) -> None:
    """It fails alone; the others are merged again."""
    world.graph.refuse = lambda properties: properties.get("userDisplayName") == "bad"
    good = [world.accept(userStatus=reported(f"12:{n // 60:02}:{n % 60:02}", devicesCount=n)) for n in range(count - 1)]
    bad = world.accept(userStatus=reported("13:00:00", userDisplayName="bad"))

    world.run(most=500)

    assert world.outcome(bad).state is State.FAILED
    assert {world.outcome(update_id).state.status for update_id in good} == {"succeeded"}
    assert world.in_graph()["devicesCount"] == count - 2
    assert "userDisplayName" not in world.in_graph()
    assert len(world.graph.calls) <= 4


@pytest.mark.parametrize(
    "reply", [GraphReply(404, code="ResourceNotFound"), GraphReply(400, judged=ReplyKind.ROUTE_MISSING)], ids=str
)
def test_what_refuses_every_value_splits_nothing(world: World, reply: GraphReply) -> None:
    """A user status or a route that does not exist: the waiting updates of the user status fail with one write."""
    world.graph.replies = [reply] * 100
    ids = [world.accept(userStatus={"devicesCount": n}) for n in range(25)]
    ids += [world.accept(userStatus={"userDisplayName": f"name {n}"}) for n in range(25)]

    world.run(most=200)

    assert {world.outcome(update_id).state for update_id in ids} == {State.FAILED}
    assert len(world.graph.calls) == 1


def test_an_old_bad_value_fails_alone_too(world: World) -> None:
    """The newer ones are written, each of them at most once on its own."""
    world.graph.refuse = lambda properties: properties.get("userDisplayName") == "bad"
    bad = world.accept(userStatus={"userDisplayName": "bad", "lastReportedDateTime": "2026-11-23T10:00:00Z"})
    good = [
        world.accept(userStatus={"devicesCount": 3, "lastReportedDateTime": "2026-11-23T11:00:00Z"}),
        world.accept(userStatus={"status": "error", "lastReportedDateTime": "2026-11-23T12:00:00Z"}),
    ]

    world.run()

    assert world.outcome(bad).state is State.FAILED
    assert {world.outcome(update_id).state for update_id in good} == {State.DELIVERED}
    assert (world.in_graph()["devicesCount"], world.in_graph()["status"]) == (3, "error")
    assert len(world.graph.calls) <= 5


def test_every_update_may_be_refused(world: World) -> None:
    """Each costs one write, over as many turns as it takes."""
    world.graph.refuse = lambda properties: True
    ids = [world.accept(userStatus=reported(f"12:00:{n:02}", devicesCount=n)) for n in range(30)]

    world.run(most=300)

    assert {world.outcome(update_id).state for update_id in ids} == {State.FAILED}
    assert len(world.graph.calls) == 30
    assert not any(world.user_statuses.accepted.values())


def test_what_was_written_before_a_throttle_is_settled(world: World) -> None:
    """Of a split write the newest update is delivered, the older one waits."""
    older = world.accept(userStatus={"devicesCount": 3, "lastReportedDateTime": "2026-11-23T11:00:00Z"})
    newer = world.accept(userStatus={"userDisplayName": "new", "lastReportedDateTime": "2026-11-23T12:00:00Z"})
    world.graph.replies = [GraphReply(400, code="BadRequest"), GraphReply(200), GraphReply(503)]

    world.deliver_next()

    assert world.outcome(newer).state is State.DELIVERED
    assert world.outcome(older).state is State.WAITING
    world.run()
    assert world.outcome(older).state is State.DELIVERED
    assert len(world.graph.calls) == 4
