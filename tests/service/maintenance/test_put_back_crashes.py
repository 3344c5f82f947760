"""An instance dies while it gives a lost update another message."""

from contextlib import suppress

import pytest

from shared.core.delivery.outcome import State
from shared.settings import Settings
from shared.wiring.services import Services
from tests.service.delivery.interleavings import Crash
from tests.service.mortal import Mortal
from tests.world import World


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 7))
def test_a_crash_while_an_update_is_put_back_loses_and_doubles_nothing(world: World, call: int, *, after: bool) -> None:
    """Two messages at most: the one that comes second is dropped, and the write goes out once."""
    update_id = world.accept()
    world.queue.messages.clear()
    world.clock.step(minutes=20)
    mortal = Mortal(call, after=after)
    dying = {name: mortal.port(port) for name, port in world.ports().items() if name in ("outcomes", "queue")}
    settings = Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"})
    with suppress(Crash):
        Services(settings, **(world.ports() | dying)).reconcile()
    world.clock.step(minutes=11)

    world.relay.reconcile()
    world.run()

    assert world.outcome(update_id).state is State.DELIVERED
    assert len(world.graph.calls) == 1
    assert world.queue.messages == []
