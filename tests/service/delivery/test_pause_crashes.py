"""A process that dies at any call while it holds updates, or while it ends a pause: no update is lost or sent early."""

from collections.abc import Callable

import pytest

from shared.core.delivery.outcome import State
from shared.core.pause import Pause
from shared.settings import Settings
from shared.wiring.services import Services
from tests.service.delivery.interleavings import Crash
from tests.service.delivery.test_brake import ENVIRON
from tests.service.delivery.test_pauses import pause, states, users
from tests.service.mortal import Mortal
from tests.world import World

PORTS = ("queue", "outcomes", "user_statuses", "idempotency_keys", "graph", "pauses", "brake")
MOST_CALLS = 200


def dying(world: World, n: int, *, after: bool, act: Callable[[Services], object]) -> bool:
    """Let a process act that dies right before or after its n-th call; return whether it died."""
    mortal = Mortal(n, after=after)
    mortals = {name: mortal.port(getattr(world, name)) for name in PORTS}
    try:
        act(Services(world.relay.settings, **(world.ports() | mortals)))
    except Crash:
        return True
    return False


def until_it_lives(after: bool, play: Callable[[int], bool]) -> None:
    """Play a story with a death at its first call, its second, and so on until it comes to its end alive."""
    assert play(1)
    assert any(not play(n) for n in range(2, MOST_CALLS)), after


def an_hour(world: World) -> None:
    """What the timers and the host do in an hour."""
    for _ in range(60):
        world.clock.step(minutes=1)
        world.relay.manage_pauses()
        world.relay.reconcile()
        while world.deliver_next():
            pass


def a_world() -> tuple[World, Pause, list[str]]:
    """Three updates that wait, and a pause."""
    world = World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}))
    ids = users(world, 3)
    return world, pause(world), ids


def deliver_all(world: World, relay: Services) -> None:
    """Hand a process every visible message."""
    while (message := world.queue.receive()) is not None:
        relay.deliver(message.delivery())
        world.queue.delete(message)


@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_while_it_holds_updates_loses_none(after: bool) -> None:
    """They are held within the hour, nothing is sent, and all are delivered when the pause ends."""

    def play(n: int) -> bool:
        world, begun, ids = a_world()
        died = dying(world, n, after=after, act=lambda relay: deliver_all(world, relay))
        an_hour(world)
        assert states(world, ids) == {State.HELD}
        assert world.queue.messages == []
        assert world.graph.calls == []
        assert world.pauses.held_count(begun.id) == 3
        world.relay.manage_pauses.end(begun.id)
        an_hour(world)
        assert states(world, ids) == {State.DELIVERED}
        assert len(world.graph.calls) == 3
        return died

    until_it_lives(after, play)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("cancels", [False, True])
def test_a_process_that_dies_while_it_ends_a_pause_is_replaced(cancels: bool, after: bool) -> None:
    """By whoever asks again, or by the timer; each update is sent or canceled once."""

    def play(n: int) -> bool:
        world, begun, ids = a_world()
        deliver_all(world, world.relay)

        def end(relay: Services) -> object:
            manage = relay.manage_pauses
            return manage.cancel_updates(begun.id) if cancels else manage.end(begun.id)

        died = dying(world, n, after=after, act=end)
        end(world.relay)
        an_hour(world)
        assert states(world, ids) == {State.CANCELED if cancels else State.DELIVERED}
        assert len(world.graph.calls) == (0 if cancels else 3)
        assert world.queue.messages == []
        assert world.pauses.rows == {}
        assert not any(world.pauses.holds.values())
        return died

    until_it_lives(after, play)


@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_while_it_brakes_lets_no_further_write_through(after: bool) -> None:
    """The write that is counted and never made is the only one that is missing."""

    def play(n: int) -> bool:
        world = World(Settings.from_environ(ENVIRON))
        ids = users(world, 4, userStatus={"status": "error"})
        died = dying(world, n, after=after, act=lambda relay: deliver_all(world, relay))
        an_hour(world)
        # The limit is one a minute, until the pause.
        assert 1 <= len(world.graph.calls) <= 2
        for held in world.relay.manage_pauses.list():
            world.relay.manage_pauses.cancel_updates(held.pause.id)
        an_hour(world)
        assert states(world, ids) <= {State.DELIVERED, State.CANCELED}
        return died

    until_it_lives(after, play)
