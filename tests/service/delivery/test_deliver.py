"""Messages on the queue: read, refused, dropped or given their turn."""

import json

import pytest

from shared.core.delivery.outcome import State
from tests.builders import EXAMPLE, NOW, POLICY, USER, a_message, an_update
from tests.world import World


def test_an_accepted_update_reaches_graph_with_just_its_properties(world: World) -> None:
    """The documented example arrives member for member."""
    update_id = world.accept()

    world.run()

    assert world.graph.calls[0].properties == EXAMPLE
    assert (world.graph.calls[0].policy_id, world.graph.calls[0].user_status_id) == (POLICY, USER)
    assert world.outcome(update_id).state is State.DELIVERED
    assert world.resource(update_id)["attemptCount"] == 1
    assert not world.user_statuses.read(next(iter(world.user_statuses.rows))).accepted


def test_a_foreign_message_gets_an_outcome_under_an_id_of_its_own(world: World) -> None:
    """Whoever puts a message on the queue finds its outcome."""
    world.queue.put(json.dumps(a_message()))

    world.run()

    (outcome,) = [outcome for outcome, _ in world.outcomes.rows.values()]
    assert outcome.state is State.DELIVERED
    assert outcome.created == NOW


@pytest.mark.parametrize("body", [b"\xff\x00nonsense", b"{", b"[]", b"e30=", b"{" * 20_000, b"null", b""])
def test_what_nobody_can_read_ends_at_once_with_its_raw_text(world: World, body: bytes) -> None:
    """Garbage is neither lost nor silent."""
    from shared.service.delivery.deliver import Delivery

    world.relay.deliver(Delivery(body, "one", NOW, 1))

    (outcome,) = [outcome for outcome, _ in world.outcomes.rows.values()]
    assert outcome.state is State.FAILED
    assert outcome.error is not None
    assert outcome.error["code"] == "invalidMessage"
    assert outcome.raw_message is not None
    assert not world.graph.calls


def test_a_message_of_a_final_update_costs_no_call(world: World) -> None:
    """Duplicates are dropped."""
    world.accept()
    text = world.queue.messages[0].text
    world.run()

    world.queue.put(text)
    world.run()

    assert len(world.graph.calls) == 1


def test_the_same_idempotency_key_on_the_queue_makes_one_update(world: World) -> None:
    """A sender that repeats itself on the queue is heard once."""
    for _ in range(3):
        world.queue.put(json.dumps(a_message(idempotencyKey="k")))

    world.run()

    assert len(world.graph.calls) == 1
    assert len(world.outcomes.rows) == 1


def test_a_key_with_another_payload_on_the_queue_fails(world: World) -> None:
    """Tampering is told."""
    world.queue.put(json.dumps(a_message(idempotencyKey="k")))
    world.run()
    world.queue.put(json.dumps(a_message(idempotencyKey="k", userStatus={"devicesCount": 1})))
    world.run()

    codes = [outcome.error["code"] for outcome, _ in world.outcomes.rows.values() if outcome.error]
    assert codes == ["idempotencyKeyConflict"]


def test_a_consumer_faster_than_acceptance_writes_the_outcome_itself(world: World) -> None:
    """A message alone is enough."""
    update = an_update()
    world.accept(update)
    world.outcomes.rows.clear()
    world.user_statuses.accepted.clear()

    world.run()

    (outcome,) = [outcome for outcome, _ in world.outcomes.rows.values()]
    assert outcome.state is State.DELIVERED
