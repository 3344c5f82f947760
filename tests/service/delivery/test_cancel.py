"""Cancel against delivery: one of them wins, and both know it."""

from dataclasses import replace
from datetime import timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import Outcome, State
from shared.core.delivery.user_status import UserStatusRow
from shared.service.delivery.cancel import TooLate
from shared.service.delivery.lease import Claim, Leases
from tests.builders import an_envelope, an_id, reported
from tests.world import World


def test_a_canceled_update_is_never_sent(world: World) -> None:
    """Also not by another update's turn."""
    first = world.accept(userStatus=reported("12:00:00", devicesCount=1))
    second = world.accept(userStatus=reported("12:01:00", devicesCount=2))

    canceled = world.relay.updates.cancel(second)
    world.run()

    assert isinstance(canceled, Outcome)
    assert world.outcome(second).state is State.CANCELED
    assert world.outcome(first).state is State.DELIVERED
    assert [call.properties["devicesCount"] for call in world.graph.calls] == [1]


def test_a_waiting_update_can_be_canceled(world: World) -> None:
    """Its next message is dropped."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=60)]
    update_id = world.accept()
    world.deliver_next()

    assert isinstance(world.relay.updates.cancel(update_id), Outcome)
    world.run()

    assert len(world.graph.calls) == 1
    assert world.outcome(update_id).state is State.CANCELED


def test_a_second_cancel_is_answered_as_the_first(world: World) -> None:
    """A caller that repeats the request after a broken connection learns that it has worked."""
    update_id = world.accept()
    first = world.relay.updates.cancel(update_id)

    assert world.relay.updates.cancel(update_id) == first


def test_a_final_update_and_an_unknown_one_cannot(world: World) -> None:
    """409, and 404."""
    update_id = world.accept()
    world.run()
    assert isinstance(world.relay.updates.cancel(update_id), TooLate)
    assert world.relay.updates.cancel(an_id(99)) is None


def test_an_update_on_its_way_cannot(world: World) -> None:
    """While a turn holds the user status."""
    update_id = world.accept()
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    leases = Leases(world.user_statuses, world.clock, timedelta(seconds=30))
    claim = leases.acquire(envelope.user_status_key, UserStatusRow.of(envelope), holder="a turn")
    assert isinstance(claim, Claim)
    assert isinstance(world.relay.updates.cancel(update_id), TooLate)
    claim.release()
    assert isinstance(world.relay.updates.cancel(update_id), Outcome)


def test_values_that_graph_has_already_are_delivered_not_canceled(world: World) -> None:
    """A turn that died after it had written them."""
    update_id = world.accept()
    envelope = an_envelope()
    world.run()
    stored = world.outcomes.rows[update_id][0]
    world.outcomes.rows[update_id] = (replace(stored, state=State.QUEUED), 9)

    assert isinstance(world.relay.updates.cancel(update_id), TooLate)
    assert world.outcome(update_id).state is State.DELIVERED
    assert envelope.id == an_id()
