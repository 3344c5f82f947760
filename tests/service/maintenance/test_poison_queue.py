"""The poison queue: a message comes back a few times, then its outcome says that it was given up."""

from shared.core.delivery.outcome import State
from shared.service.delivery.deliver import Delivery
from tests.builders import NOW, a_message
from tests.world import World


def test_a_readable_message_comes_back_from_poison_three_times(world: World) -> None:
    """Then its outcome says so, with the raw message, and its values are withdrawn."""
    update_id = world.accept()
    for n in range(3):
        message = world.queue.messages.pop()
        world.relay.consume_poison(Delivery(message.text.encode(), f"p{n}", NOW, 1))
        assert world.queue.documents()[0]["poisoned"] == n + 1
    last = world.queue.messages.pop()

    world.relay.consume_poison(Delivery(last.text.encode(), "p3", NOW, 1))

    outcome = world.outcome(update_id)
    assert outcome.state is State.FAILED
    assert outcome.error is not None
    assert outcome.error["code"] == "poisoned"
    assert outcome.raw_message == last.text
    assert not world.queue.messages
    assert not any(world.user_statuses.accepted.values())


def test_a_foreign_poison_message_is_put_back_as_an_envelope(world: World) -> None:
    """Its id is then its own."""
    import json

    world.relay.consume_poison(Delivery(json.dumps(a_message()).encode(), "p", NOW, 1))
    assert world.queue.documents()[0]["relay"] == 1
    world.run()
    assert [outcome.state for outcome, _ in world.outcomes.rows.values()] == [State.DELIVERED]


def test_an_unreadable_poison_message_gets_an_outcome_and_a_final_one_is_dropped(world: World) -> None:
    """Nothing is silent."""
    world.relay.consume_poison(Delivery(b"\xff", "p", NOW, 1))
    assert [outcome.state for outcome, _ in world.outcomes.rows.values()] == [State.FAILED]
    update_id = world.accept()
    text = world.queue.messages[0].text
    world.run()
    world.relay.consume_poison(Delivery(text.encode(), "q", NOW, 1))
    assert world.outcome(update_id).state is State.DELIVERED
    assert not world.queue.messages
