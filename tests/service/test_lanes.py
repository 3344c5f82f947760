"""The lane of an update: whichever way its message goes, it travels on the queue of its priority."""

import json

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.service.delivery.deliver import Delivery
from tests.builders import NOW, USER, a_message, an_update
from tests.world import World


def ids_in(world: World) -> tuple[list[str], list[str]]:
    """The ids on the normal queue and on the bulk one."""
    normal, bulk = ([message["id"] for message in queue.documents()] for queue in (world.queue, world.bulk_queue))
    return normal, bulk


@pytest.mark.parametrize("priority", ["normal", "bulk", None])
def test_a_foreign_message_on_the_bulk_queue_is_bulk(world: World, priority: str | None) -> None:
    """Whatever it says."""
    message = a_message(priority=priority) if priority else a_message()
    world.relay.deliver(Delivery(json.dumps(message).encode(), "foreign", NOW, 1, bulk=True))
    ((outcome, _),) = world.outcomes.rows.values()
    assert outcome.state is State.DELIVERED
    assert outcome.update is not None
    assert outcome.update.priority == "bulk"


def test_a_bulk_message_on_the_normal_queue_moves_to_its_own(world: World) -> None:
    """It must not wait among normal updates; it is delivered from there, once."""
    world.relay.deliver(Delivery(json.dumps(a_message(priority="bulk")).encode(), "foreign", NOW, 1))
    normal, bulk = ids_in(world)
    assert (normal, len(bulk)) == ([], 1)
    world.relay.deliver(Delivery(world.bulk_queue.messages[0].text.encode(), "envelope", NOW, 1))
    assert ids_in(world) == ([], bulk * 2)
    world.run()
    assert len(world.graph.calls) == 1
    assert world.outcome(bulk[0]).state is State.DELIVERED


def test_a_bulk_update_is_tried_again_on_the_bulk_queue(world: World) -> None:
    """Its next attempt waits there."""
    world.graph.replies = [GraphReply(503)]
    update_id = world.accept(an_update(priority="bulk"))
    world.deliver_next()
    assert world.outcome(update_id).state is State.WAITING
    assert ids_in(world) == ([], [update_id])


def test_a_bulk_message_comes_back_from_its_poison_queue_to_its_own(world: World) -> None:
    """Foreign ones are bulk there, too."""
    world.relay.consume_poison(Delivery(json.dumps(a_message()).encode(), "poison", NOW, 1, bulk=True))
    normal, bulk = ids_in(world)
    assert (normal, len(bulk)) == ([], 1)
    assert world.bulk_queue.documents()[0]["update"]["priority"] == "bulk"


def test_a_lost_bulk_message_is_put_back_on_the_bulk_queue(world: World) -> None:
    """By reconciliation, whatever waits in the normal lane."""
    update_id = world.accept(an_update(priority="bulk"))
    world.bulk_queue.messages.clear()
    world.accept(deviceComplianceUserStatusId="other")
    world.clock.step(minutes=2)
    assert world.relay.reconcile() == 1
    assert ids_in(world)[1] == [update_id]


def test_a_backlog_of_one_lane_is_no_sign_of_loss_in_the_other(world: World) -> None:
    """Each lane has its own head."""
    for n in range(3):
        world.accept(an_update(priority="bulk", deviceComplianceUserStatusId=f"user-{n}"))
    world.clock.step(minutes=2)
    world.accept()
    assert world.relay.reconcile() == 0


def test_lanes_share_the_user_status(world: World) -> None:
    """A newer urgent and an older bulk value make one PATCH with the newest."""
    world.accept(an_update(priority="bulk", userStatus={"status": "error"}))
    world.clock.step(seconds=1)
    world.accept(userStatus={"status": "compliant"})
    world.run()
    assert len(world.graph.calls) == 1
    assert world.in_graph(user=USER)["status"] == "compliant"
    assert {outcome.state for outcome, _ in world.outcomes.rows.values()} == {State.DELIVERED, State.SUPERSEDED}
