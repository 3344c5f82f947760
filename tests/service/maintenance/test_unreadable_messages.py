"""A message that this version cannot read, of an update that it knows: nothing is silent, nothing is lost."""

import json
from collections.abc import Callable

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.service.delivery.deliver import Delivery
from tests.builders import NOW
from tests.world import World

type Consume = Callable[[World, Delivery], None]

CONSUMERS = pytest.mark.parametrize(
    "consume",
    [
        lambda world, delivery: world.relay.deliver(delivery),
        lambda world, delivery: world.relay.consume_poison(delivery),
    ],
    ids=["queue", "poison queue"],
)


def of_another_version(world: World) -> Delivery:
    """The update's only message, as a version of years ahead writes it."""
    document = json.loads(world.queue.messages.pop().text)
    return Delivery(json.dumps(document | {"relay": 2}).encode(), "m", NOW, 1)


@CONSUMERS
def test_a_known_update_is_carried_on_from_its_outcome(world: World, consume: Consume) -> None:
    """A newer version put its message on the queue and was rolled back."""
    update_id = world.accept(source="hr")

    consume(world, of_another_version(world))
    world.run()

    assert world.outcome(update_id).state is State.DELIVERED
    assert len(world.graph.calls) == 1


@CONSUMERS
def test_an_update_that_waits_for_its_next_attempt_goes_on_waiting(world: World, consume: Consume) -> None:
    """Its new message shows when the old one would have been due."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=120)]
    update_id = world.accept()
    world.deliver_next()
    due = world.outcome(update_id).next_attempt

    consume(world, of_another_version(world))

    assert due is not None
    assert [message.visible for message in world.queue.messages] == [due]


@CONSUMERS
def test_a_final_update_stays_as_it_is(world: World, consume: Consume) -> None:
    """A late message adds nothing."""
    world.accept()
    late = of_another_version(world)
    world.queue.put(json.dumps(json.loads(late.body) | {"relay": 1}))
    world.run()

    consume(world, late)

    assert not world.queue.messages
    assert [outcome.state for outcome, _ in world.outcomes.rows.values()] == [State.DELIVERED]


@CONSUMERS
def test_an_unknown_update_gets_an_outcome_that_says_why(world: World, consume: Consume) -> None:
    """Under the id that its message names."""
    update_id = world.accept()
    message = of_another_version(world)
    world.outcomes.rows.clear()

    consume(world, message)

    outcome = world.outcome(update_id)
    assert (outcome.state, outcome.raw_message) == (State.FAILED, message.body.decode())
    assert outcome.error is not None
    assert outcome.error["errors"] == [{"pointer": "/relay", "detail": "must be 1"}]
