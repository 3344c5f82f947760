"""A refused merged write is split; what ended meanwhile is not sent with the rest."""

from dataclasses import replace

from shared.core.delivery.outcome import State
from tests.builders import reported
from tests.world import World


def test_a_canceled_update_is_not_sent_once_a_newer_one_was_refused(world: World) -> None:
    """Its cancel died before it withdrew the values: the outcome alone knows, and is read before the second write."""
    oldest = world.accept(userStatus=reported("19:00:00", devicesCount=0))
    canceled = world.accept(userStatus=reported("20:00:00", devicesCount=1))
    refused = world.accept(userStatus=reported("20:10:00", devicesCount=2))
    outcome, etag = world.outcomes.rows[canceled]
    world.outcomes.rows[canceled] = (replace(outcome, state=State.CANCELED), etag)
    world.graph.refuse = lambda properties: properties["devicesCount"] == 2

    world.run()

    assert [call.properties["devicesCount"] for call in world.graph.calls] == [2, 0]
    assert world.outcome(oldest).state is State.DELIVERED
    assert world.outcome(refused).state is State.FAILED
    assert world.outcome(canceled).state is State.CANCELED
    assert world.in_graph()["devicesCount"] == 0
