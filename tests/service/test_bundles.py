"""Bundles on their way: each item ends as if it had travelled alone, whatever happens to the message."""

import json
from typing import Any

import pytest

from shared.core.delivery.outcome import State
from shared.service.delivery.deliver import MAX_IN_PLACE, Delivery
from shared.service.intake.accept import Accepted
from tests.builders import NOW, an_update
from tests.world import World


def accept(world: World, count: int = 5) -> list[str]:
    """Accept bulk updates of that many users together; their ids."""
    updates = [an_update(priority="bulk", deviceComplianceUserStatusId=f"user-{n}") for n in range(count)]
    verdicts = world.relay.accept.all(updates)
    return [verdict.outcome.id for verdict in verdicts if isinstance(verdict, Accepted)]


def states(world: World, ids: list[str]) -> list[State]:
    """What became of the updates."""
    return [world.outcome(update_id).state for update_id in ids]


def users(world: World) -> list[str]:
    """Whose statuses were written, in order."""
    return [call.user_status_id for call in world.graph.calls]


def test_a_bundle_is_worked_off_in_order_of_acceptance(world: World) -> None:
    """One message for all of them, one write for each."""
    ids = accept(world)
    assert len(world.bulk_queue.messages) == 1
    assert world.deliver_next()
    assert states(world, ids) == [State.DELIVERED] * 5
    assert users(world) == [f"user-{n}" for n in range(5)]
    assert not world.bulk_queue.messages


def test_an_item_that_is_canceled_meanwhile_is_not_sent(world: World) -> None:
    """The others are."""
    ids = accept(world)
    world.relay.cancel(ids[2])
    world.run()
    assert states(world, ids) == [*[State.DELIVERED] * 2, State.CANCELED, *[State.DELIVERED] * 2]
    assert "user-2" not in users(world)


def test_what_is_left_after_a_while_goes_on_in_a_new_bundle(world: World) -> None:
    """Before the old one ends; nothing is lost or doubled."""
    ids = accept(world)
    patch = world.graph.patch_user_status

    def slow(*args: Any, **named: Any) -> Any:
        world.clock.step(seconds=MAX_IN_PLACE.total_seconds() / 2)
        return patch(*args, **named)

    world.graph.patch_user_status = slow  # type: ignore[method-assign]
    world.deliver_next()
    assert len(users(world)) == 2
    (left,) = world.bulk_queue.documents()
    assert [item["id"] for item in left["bundle"]] == ids[2:]
    world.run()
    assert states(world, ids) == [State.DELIVERED] * 5
    assert users(world) == [f"user-{n}" for n in range(5)]


@pytest.mark.parametrize("after", range(5))
def test_a_bundle_whose_instance_was_killed_comes_back(world: World, after: int) -> None:
    """Its items go on alone; those that are final are not sent again."""
    ids, patch, made = accept(world), world.graph.patch_user_status, []

    def killed(*args: Any, **named: Any) -> Any:
        if len(made) == after:
            raise KeyboardInterrupt
        made.append(1)
        return patch(*args, **named)

    world.graph.patch_user_status = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.deliver_next()
    world.graph.patch_user_status = patch  # type: ignore[method-assign]
    world.run()
    assert states(world, ids) == [State.DELIVERED] * 5
    assert sorted(users(world)) == [f"user-{n}" for n in range(5)]


def test_a_bundle_from_the_poison_queue_is_put_back_item_by_item(world: World) -> None:
    """Each counts its own returns."""
    ids = accept(world)
    text = world.bulk_queue.messages.pop().text
    world.relay.consume_poison(Delivery(text.encode(), "poison", NOW, 1, bulk=True))
    assert [(item["id"], item["poisoned"]) for item in world.bulk_queue.documents()] == [
        (update_id, 1) for update_id in ids
    ]
    world.run()
    assert states(world, ids) == [State.DELIVERED] * 5


def test_garbage_in_the_middle_has_an_outcome_of_its_own(world: World) -> None:
    """The items around it are delivered."""
    ids = accept(world)
    message = world.bulk_queue.messages[0]
    document = json.loads(message.text)
    document["bundle"].insert(2, {"relay": 1, "id": 3})
    message.text = json.dumps(document)
    world.run()
    assert states(world, ids) == [State.DELIVERED] * 5
    (failed,) = [outcome for outcome, _ in world.outcomes.rows.values() if outcome.id not in ids]
    assert failed.state is State.FAILED
    assert failed.error is not None
    assert failed.error["code"] == "invalidMessage"


def test_an_item_in_a_bundle_that_an_instance_holds_is_not_lost(world: World) -> None:
    """It is noted when the bundle is taken; a minute after that it counts as lost."""
    (first, *_) = accept(world)
    world.clock.step(minutes=5)
    world.outcomes.note_moved([first], world.clock.now())
    world.bulk_queue.messages.clear()
    world.clock.step(seconds=40)
    assert world.relay.reconcile() == 4
    world.clock.step(seconds=40)
    assert world.relay.reconcile() == 1


def test_the_outcomes_of_a_batch_are_there_at_once(world: World) -> None:
    """As soon as it was accepted."""
    assert states(world, accept(world, 300)) == [State.QUEUED] * 300
    assert len(world.bulk_queue.messages) == 8
