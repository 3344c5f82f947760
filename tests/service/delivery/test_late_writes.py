"""A call that ended without saying what became of its write: nobody writes until that write can no longer land."""

from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.outcome import State
from tests.builders import reported
from tests.fakes.graph import LateLanding
from tests.world import World

SILENT = [
    GraphReply(None, TransportFault.TIMEOUT),
    GraphReply(None, TransportFault.DISCONNECTED),
    GraphReply(408),
    GraphReply(502),
    GraphReply(504),
]


@pytest.mark.parametrize("reply", SILENT, ids=str)
def test_a_write_that_lands_late_never_stands_over_a_newer_one(world: World, reply: GraphReply) -> None:
    """The older write lands 3 seconds after its answer, while a newer update waits."""
    world.graph.replies = [LateLanding(reply, 3)]
    older = world.accept(userStatus=reported("12:00:00"))
    world.deliver_next()
    newer = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))

    world.run()
    world.clock.step(minutes=5)

    assert world.in_graph()["status"] == "nonCompliant"
    assert world.outcome(newer).state is State.DELIVERED
    assert world.outcome(older).state is State.SUPERSEDED


@pytest.mark.parametrize("reply", SILENT, ids=str)
def test_the_deadline_does_not_free_a_user_status_whose_write_may_still_land(world: World, reply: GraphReply) -> None:
    """The update fails at its deadline; a newer one is not sent before the write has landed."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=24 * 3600), LateLanding(reply, 12)]
    older = world.accept(userStatus=reported("12:00:00"))
    world.deliver_next()
    world.clock.step(hours=23, minutes=59, seconds=59)
    world.graph.call_seconds = 4
    world.queue.put(world.outcome(older).envelope.to_json())  # type: ignore[union-attr]
    world.deliver_next()
    newer = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.run()
    world.clock.step(minutes=5)

    assert world.resource(older)["error"]["code"] == "deadlineExceeded"
    assert world.in_graph()["status"] == "nonCompliant"
    assert world.outcome(newer).state is State.DELIVERED
    assert world.graph.calls[2].at - world.graph.calls[1].at >= timedelta(seconds=30)


def test_a_deadline_is_no_refusal_and_splits_nothing(world: World) -> None:
    """Of a merged write that meets the deadline nothing older is sent on its own."""
    world.graph.replies = [GraphReply(503)]
    older = world.accept(userStatus=reported("12:00:00"))
    world.deliver_next()
    newer = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.clock.step(hours=24, seconds=-3)
    world.graph.call_seconds = 4
    world.graph.replies = [GraphReply(503)]
    world.queue.put(world.outcome(older).envelope.to_json())  # type: ignore[union-attr]
    world.queue.messages.sort(key=lambda message: -message.number)
    world.queue.messages = world.queue.messages[:1]
    world.deliver_next()

    assert [call.properties["status"] for call in world.graph.calls] == ["compliant", "nonCompliant"]
    assert world.resource(older)["error"]["code"] == "deadlineExceeded"
    assert not world.outcome(newer).state.final
