"""Values that may have landed: when their update ends without success, the newest value that remains is sent again."""

from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.outcome import Outcome, State
from shared.service.delivery.cancel import TooLate
from tests.builders import reported
from tests.fakes.graph import LateLanding
from tests.world import World

TIMEOUT = GraphReply(None, TransportFault.TIMEOUT)


def test_canceling_after_an_ambiguous_attempt_sends_the_older_value_again(world: World) -> None:
    """Graph has the canceled value, although the call timed out; what was confirmed before is sent once more."""
    world.accept(userStatus=reported("12:00:00"))
    world.run()
    world.graph.replies = [LateLanding(TIMEOUT, 3)]
    canceled = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.deliver_next()
    world.clock.step(minutes=2)

    assert isinstance(world.relay.cancel(canceled), Outcome)
    assert world.in_graph()["status"] == "nonCompliant"
    world.run()

    assert world.in_graph()["status"] == "compliant"
    assert world.outcome(canceled).state is State.CANCELED
    assert len(world.graph.calls) == 3


def test_the_older_value_does_not_wait_for_the_canceled_updates_next_attempt(world: World) -> None:
    """That would have been in an hour; Graph would show the canceled value until then."""
    world.accept(userStatus=reported("12:00:00"))
    world.run()
    world.graph.replies = [LateLanding(GraphReply(504, retry_after_seconds=3600), 3)]
    canceled = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.deliver_next()
    world.clock.step(minutes=2)
    now = world.clock.now()

    world.relay.cancel(canceled)
    world.deliver_next()

    assert world.in_graph()["status"] == "compliant"
    assert world.clock.now() - now < timedelta(seconds=10)


def test_canceling_is_refused_while_the_write_may_still_land(world: World) -> None:
    """The caller learns that it is on its way; after the lease's end it can be canceled."""
    world.graph.replies = [LateLanding(TIMEOUT, 3)]
    update_id = world.accept()
    world.deliver_next()

    assert isinstance(world.relay.cancel(update_id), TooLate)
    world.clock.step(minutes=2)
    assert isinstance(world.relay.cancel(update_id), Outcome)


def test_an_older_waiting_value_is_sent_after_the_canceled_one(world: World) -> None:
    """It had never been sent, since the newer one was to replace it."""
    older = world.accept(userStatus=reported("12:00:00"))
    newer = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.graph.replies = [LateLanding(TIMEOUT, 3)]
    world.deliver_next()
    world.clock.step(minutes=2)

    assert isinstance(world.relay.cancel(newer), Outcome)
    world.run()

    assert world.in_graph()["status"] == "compliant"
    assert world.outcome(older).state is State.DELIVERED


def test_an_update_that_fails_at_its_deadline_leaves_the_older_value_in_graph(world: World) -> None:
    """Its last call timed out and landed later; the confirmed value is sent again once that is over."""
    world.accept(userStatus=reported("12:00:00"))
    world.run()
    world.graph.replies = [GraphReply(503), LateLanding(TIMEOUT, 12)]
    world.graph.call_seconds = 4
    late = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.deliver_next()
    envelope = world.outcome(late).envelope
    assert envelope is not None
    world.queue.messages.clear()
    world.clock.step(hours=23, minutes=59, seconds=54)
    world.queue.put(envelope.to_json())
    world.run()

    assert world.resource(late)["error"]["code"] == "deadlineExceeded"
    assert world.in_graph()["status"] == "compliant"
    assert world.graph.calls[-1].at - world.graph.calls[-2].at >= timedelta(seconds=12)


def test_a_refusal_after_an_ambiguous_attempt_restores_the_older_value(world: World) -> None:
    """The first call landed late, the second is refused: Graph must not keep the value of a failed update."""
    world.accept(userStatus=reported("12:00:00"))
    world.run()
    world.graph.replies = [LateLanding(TIMEOUT, 3), GraphReply(400, code="BadRequest", message="no")]
    failed = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))

    world.run()

    assert world.outcome(failed).state is State.FAILED
    assert world.in_graph()["status"] == "compliant"


@pytest.mark.parametrize("reply", [GraphReply(503), GraphReply(429), GraphReply(403), GraphReply(409)], ids=str)
def test_a_write_that_was_not_applied_leaves_nothing_to_send_again(world: World, reply: GraphReply) -> None:
    """Canceling it costs no call."""
    world.accept(userStatus=reported("12:00:00"))
    world.run()
    world.graph.replies = [reply]
    canceled = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.deliver_next()

    assert isinstance(world.relay.cancel(canceled), Outcome)
    world.run()

    assert len(world.graph.calls) == 2


def test_a_value_sent_again_is_tried_until_graph_takes_it(world: World) -> None:
    """An outage in between loses nothing."""
    world.accept(userStatus=reported("12:00:00"))
    world.run()
    world.graph.replies = [LateLanding(TIMEOUT, 3), GraphReply(503), TIMEOUT, GraphReply(500)]
    canceled = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.deliver_next()
    world.clock.step(minutes=2)
    world.relay.cancel(canceled)

    world.run()

    assert world.in_graph()["status"] == "compliant"
    assert len(world.graph.calls) == 6


def test_a_turn_that_died_after_its_write_is_uncertain_too(world: World) -> None:
    """The row knew before the write went out."""

    class Died(BaseException):
        pass

    world.accept(userStatus=reported("12:00:00"))
    world.run()
    take = world.graph.patch_user_status

    def die(*args: object, **kwargs: object) -> None:
        take(*args, **kwargs)  # type: ignore[arg-type]
        raise Died

    canceled = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.graph.patch_user_status = die  # type: ignore[method-assign, assignment]
    with pytest.raises(Died):
        world.deliver_next()
    world.graph.patch_user_status = take  # type: ignore[method-assign]
    world.clock.step(minutes=2)
    assert isinstance(world.relay.cancel(canceled), Outcome)
    world.run()

    assert world.in_graph()["status"] == "compliant"
