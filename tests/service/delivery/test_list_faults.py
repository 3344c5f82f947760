"""A list that cannot be read: the update waits, or fails in Graph's own words."""

from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.outcome import State
from shared.core.delivery.reply_kind import ReplyKind
from tests.builders import NOW, POLICY
from tests.service.delivery.named import NAME, OTHER_POLICY, code, named, with_users
from tests.world import World


@pytest.fixture
def world(world: World) -> World:
    """A policy of five users, three pages long."""
    return with_users(world)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (GraphReply(503), "graphUnavailable"),
        (GraphReply(429), "throttled"),
        (GraphReply(403), "notAuthorized"),
        (GraphReply(None, TransportFault.TIMEOUT), "graphUnavailable"),
        (GraphReply(200, result={"x": 1}), "graphUnavailable"),
        (GraphReply(404, judged=ReplyKind.FOREIGN), "graphUnavailable"),
        (GraphReply(400, judged=ReplyKind.LICENCE_MISSING), "notAuthorized"),
        (GraphReply(200, judged=ReplyKind.UNREADABLE_SUCCESS), "graphUnavailable"),
        (GraphReply(200, result={"value": [], "@odata.nextLink": 7}), "graphUnavailable"),
    ],
)
def test_a_list_that_cannot_be_read_now_makes_the_update_wait(world: World, reply: GraphReply, expected: str) -> None:
    """It shows as an attempt; the next attempt is a message of its own."""
    world.graph.list_replies = [reply]
    update_id = world.accept(**named())

    world.deliver_next()

    waiting = world.resource(update_id)
    assert (waiting["statusDetail"], waiting["error"]["code"]) == ("waiting", expected)
    assert [attempt["statusCode"] for attempt in waiting["attempts"]] == [reply.status_code]
    assert world.queue.documents()[0]["attempt"] == 2
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_a_retry_after_of_a_list_holds_everyone(world: World) -> None:
    """Writes and other lists too."""
    world.graph.list_replies = [GraphReply(429, retry_after_seconds=300.0)]
    first = world.accept(**named())
    world.deliver_next()
    second = world.accept(**named(deviceCompliancePolicyId=OTHER_POLICY))
    by_id = world.accept(deviceComplianceUserStatusId="u1")
    world.deliver_next()
    world.deliver_next()

    assert len(world.graph.lists) == 1
    assert not world.graph.calls
    assert [world.outcome(update_id).attempt_count for update_id in (first, second, by_id)] == [1, 0, 0]
    world.run()
    assert min(call.at for call in world.graph.calls) >= NOW + timedelta(seconds=300)


def test_a_fault_is_shared_for_a_while(world: World) -> None:
    """A hundred updates of a policy that fails do not ask a hundred times; only who asked was tried."""
    world.graph.list_replies = [GraphReply(503)] * 5
    ids = [world.accept(**named()) for _ in range(100)]
    for _ in range(100):
        world.deliver_next()
    assert len(world.graph.lists) == 1
    assert sum(world.outcome(update_id).attempt_count for update_id in ids) == 1
    assert {code(world, update_id) for update_id in ids} == {"graphUnavailable"}


def test_a_list_that_goes_on_failing_is_read_ever_more_rarely(world: World) -> None:
    """Whoever asks, and however often."""
    directories = world.relay.deliver.resolve.directories
    world.graph.list_replies = [GraphReply(503)] * 100
    for _ in range(600):
        directories.find(POLICY, NAME)
        world.clock.step(seconds=0.1)
    assert len(world.graph.lists) == 7


def test_a_401_gets_one_new_token(world: World) -> None:
    """As a write does."""
    world.graph.list_replies = [GraphReply(401)]
    update_id = world.accept(**named())
    world.run()
    assert [token for _, _, token in world.graph.lists][:2] == ["token-1", "token-2"]
    assert world.outcome(update_id).state is State.DELIVERED


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (GraphReply(404, message="no such policy"), "userStatusNotFound"),
        (GraphReply(400, message="bad"), "graphRejected"),
        (GraphReply(400, judged=ReplyKind.ROUTE_MISSING), "operationNotSupported"),
    ],
)
def test_a_list_that_is_refused_for_good_fails_the_update(world: World, reply: GraphReply, expected: str) -> None:
    """In Graph's own words."""
    world.graph.list_replies = [reply] * 2  # with a selection, and without
    update_id = world.accept(**named())
    world.run()
    assert code(world, update_id) == expected
    assert world.resource(update_id)["error"]["innerError"]["statusCode"] == reply.status_code
    if reply.message:
        assert reply.message in world.resource(update_id)["error"]["message"]


def test_without_a_token_it_waits_however_long(world: World) -> None:
    """Nothing was tried."""
    world.identity.fault = "away"
    update_id = world.accept(**named())
    for _ in range(4):
        world.deliver_next()
        world.clock.step(hours=9)
    assert code(world, update_id) == "identityUnavailable"
    assert world.outcome(update_id).attempt_count == 0
    world.identity.fault = None
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_a_list_that_fails_until_the_deadline_fails_the_update(world: World) -> None:
    """It was tried."""
    world.graph.list_replies = [GraphReply(503, message="busy")] * 1000
    update_id = world.accept(**named())
    world.run(most=2000)
    assert code(world, update_id) == "deadlineExceeded"
    assert world.resource(update_id)["error"]["innerError"]["statusCode"] == 503
    assert world.outcome(update_id).last_action - NOW >= timedelta(hours=24)
