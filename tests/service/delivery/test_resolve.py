"""What another instance, a cancel or a death does to a resolution."""

from typing import Any

import pytest

from shared.core.delivery.outcome import Outcome, State
from shared.service.delivery.cancel import TooLate
from shared.service.delivery.deliver import Delivery
from shared.service.ports.storage import Unavailable
from shared.settings import Settings
from shared.wiring.services import Services
from tests.builders import NOW, POLICY, USER
from tests.service.delivery.interruptions import Died, dying, hooked
from tests.service.delivery.named import NAME, code, named, with_users
from tests.world import World


@pytest.fixture
def world(world: World) -> World:
    """A policy of five users, three pages long."""
    return with_users(world)


def test_two_hosts_that_resolve_differently_agree(world: World) -> None:
    """The outcome's compare-and-swap decides; nothing is left with the other user status."""
    update_id = world.accept(**named())
    text = world.queue.messages[0].text
    other = another_instance(world)
    other.deliver.resolve.directories.find(POLICY, NAME)
    world.graph.users[POLICY] = [("new", NAME)]
    duplicate = Delivery(text.encode(), "duplicate", NOW, 1)
    hooked(world, "graph", "list_user_statuses", lambda: other.deliver(duplicate))

    world.run()

    assert [call.user_status_id for call in world.graph.calls] == [USER]
    assert world.resource(update_id)["deviceComplianceUserStatusId"] == USER
    assert world.outcome(update_id).state is State.DELIVERED
    assert not any(world.user_statuses.accepted.values())


def another_instance(world: World) -> Services:
    """Over the same storage."""
    return Services(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}), **world.ports())


@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("graph", "list_user_statuses"),
        ("outcomes", "replace"),
        ("user_statuses", "register"),
        ("user_statuses", "commit"),
        ("graph", "patch_user_status"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_a_death_before_or_after_any_line_loses_nothing(world: World, port: str, method: str, after: bool) -> None:
    """The message comes back, and means the same user status."""
    update_id = world.accept(**named())
    dying(world, port, method, after=after)
    with pytest.raises(Died):
        world.deliver_next()
    if after and method == "replace":
        world.graph.users[POLICY] = [("other", NAME)]
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    assert {call.user_status_id for call in world.graph.calls} == {USER}
    assert not any(world.user_statuses.accepted.values())


def test_an_update_that_is_not_resolved_yet_is_canceled(world: World) -> None:
    """Nothing is looked up or sent."""
    update_id = world.accept(**named())
    assert isinstance(world.relay.updates.cancel(update_id), Outcome)
    world.run()
    assert world.outcome(update_id).state is State.CANCELED
    assert not world.graph.lists


@pytest.mark.parametrize(
    ("port", "method", "before"),
    [
        ("graph", "list_user_statuses", False),
        ("outcomes", "replace", True),
        ("outcomes", "replace", False),
        ("user_statuses", "register", False),
        ("user_statuses", "read", False),
    ],
)
def test_a_cancel_in_the_middle_of_its_turn_holds(world: World, port: str, method: str, before: bool) -> None:
    """Whenever it comes before the lease, nothing is sent, and nothing stays registered."""
    update_id = world.accept(**named())
    canceled: list[Any] = []
    hooked(world, port, method, lambda: canceled.append(world.relay.updates.cancel(update_id)), before=before)
    world.run()
    assert isinstance(canceled[0], Outcome)
    assert world.outcome(update_id).state is State.CANCELED
    assert not world.graph.calls
    assert not any(world.user_statuses.accepted.values())


def test_a_cancel_while_it_is_on_its_way_is_too_late(world: World) -> None:
    """The user status that it was resolved to is leased."""
    update_id = world.accept(**named())
    canceled: list[Any] = []
    hooked(world, "graph", "patch_user_status", lambda: canceled.append(world.relay.updates.cancel(update_id)))
    world.run()
    assert isinstance(canceled[0], TooLate)
    assert world.outcome(update_id).state is State.DELIVERED


@pytest.mark.parametrize("resolved", [False, True])
def test_a_named_update_ends_as_poison_as_any_other(world: World, resolved: bool) -> None:
    """Resolved or not, with its raw message, and nothing left behind."""
    update_id = world.accept(**named())
    if resolved:
        dying(world, "user_statuses", "commit", after=False)
        with pytest.raises(Died):
            world.deliver_next()
    for n in range(4):
        message = world.queue.messages.pop()
        world.relay.consume_poison(Delivery(message.text.encode(), f"p{n}", NOW, 1))
    outcome = world.outcome(update_id)
    assert (outcome.state, code(world, update_id)) == (State.FAILED, "poisoned")
    assert outcome.raw_message is not None
    assert not any(world.user_statuses.accepted.values())


def test_a_named_update_whose_message_was_lost_gets_its_turn(world: World) -> None:
    """Reconciliation knows it by its name."""
    update_id = world.accept(**named())
    world.queue.messages.clear()
    world.clock.step(minutes=16)
    assert world.relay.reconcile() == 1
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_storage_that_fails_between_resolution_and_registration_loses_nothing(world: World) -> None:
    """The host brings the message again."""
    update_id = world.accept(**named())

    def down() -> None:
        raise Unavailable("table")

    hooked(world, "user_statuses", "register", down, before=True)
    with pytest.raises(Unavailable):
        world.deliver_next()
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    assert world.user_statuses.read(envelope.user_status_key).row is not None
