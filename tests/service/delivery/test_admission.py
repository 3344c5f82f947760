"""What turns do with the rate limiter's answers."""

from datetime import timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.rate_limit.outage import FAULTS_TO_OPEN
from shared.core.rate_limit.route import MAX_MISSING
from tests.world import World

NO_ROUTE = GraphReply(400, judged=ReplyKind.ROUTE_MISSING, message="No method match route template")


def accepted(world: World, count: int) -> list[str]:
    """Updates of as many user statuses."""
    return [world.accept(deviceComplianceUserStatusId=f"user-{n}") for n in range(count)]


def without_route(world: World) -> None:
    """Let Graph have no route until the updates fail without a call."""
    world.graph.replies = [NO_ROUTE] * MAX_MISSING
    accepted(world, MAX_MISSING)
    world.run()


def test_without_a_route_updates_fail_without_a_call(world: World) -> None:
    """With the code of Graph's answer and a message that says so."""
    without_route(world)
    calls = len(world.graph.calls)
    (update_id,) = accepted(world, 1)
    world.run()
    error = world.outcome(update_id).error
    assert world.outcome(update_id).state is State.FAILED
    assert error is not None
    assert error["code"] == "operationNotSupported"
    assert "not sent" in error["message"]
    assert len(world.graph.calls) == calls == MAX_MISSING
    assert not world.user_statuses.read(next(iter(world.user_statuses.rows))).accepted


def test_an_hour_later_one_update_goes_out_and_its_success_ends_it(world: World) -> None:
    """The others behind it are sent again."""
    without_route(world)
    world.clock.step(hours=1)
    updates = accepted(world, 3)
    world.run()
    assert [world.outcome(update_id).state for update_id in updates] == [State.DELIVERED] * 3


def test_an_hour_later_one_failure_costs_one_call(world: World) -> None:
    """And the next one goes out another hour later."""
    without_route(world)
    world.clock.step(hours=1)
    world.graph.replies = [NO_ROUTE]
    accepted(world, 5)
    world.run()
    assert len(world.graph.calls) == MAX_MISSING + 1


def test_the_second_call_after_a_401_does_not_wait_for_its_own_probe(world: World) -> None:
    """An outage by rejected tokens ends with the first probe, not when that probe counts as dead."""
    world.graph.replies = [GraphReply(401)] * 2 * FAULTS_TO_OPEN
    updates = accepted(world, FAULTS_TO_OPEN)
    while world.graph.replies:
        world.deliver_next() or world.clock.step(seconds=1)
    assert world.rate_limit.pacing.outage
    last = world.graph.calls[-1].at
    world.graph.replies = [GraphReply(401)]
    world.run()
    assert all(world.outcome(update_id).state is State.DELIVERED for update_id in updates)
    first = next(call for call in world.graph.calls if call.at > last)
    second = world.graph.calls[world.graph.calls.index(first) + 1]
    assert second.at - first.at <= timedelta(seconds=2)


def test_an_update_whose_policy_is_held_goes_back_to_the_queue_at_once(world: World) -> None:
    """It occupies no thread while other policies' updates could be sent."""
    world.graph.replies = [GraphReply(403)] * FAULTS_TO_OPEN
    accepted(world, FAULTS_TO_OPEN)
    while world.graph.replies:
        world.deliver_next() or world.clock.step(seconds=1)
    began, calls = world.clock.now(), len(world.graph.calls)
    world.accept(deviceComplianceUserStatusId="another")
    assert world.deliver_next()
    assert world.clock.now() - began < timedelta(seconds=1)
    assert len(world.graph.calls) == calls
