"""What else happens to held updates while their pause lasts."""

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.core.delivery.reply_kind import TransportFault
from tests.builders import EXAMPLE, reported
from tests.service.delivery.test_pauses import pause
from tests.service.lives import erase, finished
from tests.world import World


def test_an_erasure_waits_for_a_held_update_as_for_any_other(world: World) -> None:
    """It is blanked once it has ended, and is never sent if it was canceled."""
    begun = pause(world)
    update_id = world.accept()
    world.run()
    erasure = erase(world, userPrincipalName=EXAMPLE["userPrincipalName"])
    world.clock.step(minutes=1)
    world.relay.erase()
    assert world.outcome(update_id).erased is None
    world.relay.manage_pauses.cancel_updates(begun.id)
    assert finished(world, erasure)["status"] == "succeeded"
    assert world.outcome(update_id).erased is not None
    assert world.graph.calls == []


def test_a_value_that_may_be_lost_in_graph_waits_for_the_end_of_a_pause(world: World) -> None:
    """A write timed out and was canceled; the older value is sent again, but not while all is paused."""
    world.accept(userStatus=reported("12:00:00"))
    world.run()
    world.graph.replies = [GraphReply(None, TransportFault.TIMEOUT)]
    newer = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.deliver_next()
    begun = pause(world)
    world.clock.step(minutes=2)
    world.relay.cancel(newer)
    for _ in range(5):
        world.clock.step(minutes=1)
        world.deliver_next()
    assert world.outcome(newer).state is State.CANCELED
    assert len(world.graph.calls) == 2
    world.relay.manage_pauses.end(begun.id)
    world.run()
    assert len(world.graph.calls) == 3
    assert world.in_graph()["status"] == "compliant"


def test_a_turn_that_still_believes_in_an_ended_pause_loses_nothing(world: World) -> None:
    """It holds the update after the pause has put back what it held; the timer puts this one back, too."""
    begun = pause(world)
    world.relay.active_pauses()
    update_id = world.accept()
    stale = world.relay.active_pauses()
    world.relay.manage_pauses.end(begun.id)
    stored = world.outcomes.get(update_id)
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    world.relay.hold.by(stale[0], envelope, stored)
    world.queue.messages.clear()
    assert world.outcome(update_id).held_by == begun.id
    world.relay.manage_pauses()
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_an_update_whose_pause_is_gone_is_put_back(world: World) -> None:
    """Whatever was lost: no update is held by nobody."""
    begun = pause(world)
    update_id = world.accept()
    world.run()
    world.pauses.delete(begun.id)
    world.pauses.holds.clear()
    world.clock.step(minutes=2)
    assert world.relay.reconcile() == 1
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
