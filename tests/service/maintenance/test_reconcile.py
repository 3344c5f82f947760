"""Reconciliation: a lost message is made good, what waits on purpose is left alone."""

from dataclasses import replace
from datetime import timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from tests.world import World


def test_an_update_whose_message_was_lost_gets_its_turn(world: World) -> None:
    """Queued or waiting, a minute after it was due; not before."""
    queued = world.accept()
    world.graph.replies = [GraphReply(500)]
    waiting = world.accept(deviceComplianceUserStatusId="other")
    world.queue.messages.pop(0)
    world.deliver_next()
    world.queue.messages.clear()
    world.clock.step(seconds=59)
    assert world.relay.reconcile() == 0

    world.clock.step(seconds=2)
    assert world.relay.reconcile() == 2
    assert world.relay.reconcile() == 0
    world.run()

    assert {world.outcome(update_id).state for update_id in (queued, waiting)} == {State.DELIVERED}


def test_a_backlog_is_not_a_loss(world: World) -> None:
    """While older messages wait in front, nothing is put back twice."""
    world.accept()
    world.accept(deviceComplianceUserStatusId="other")
    world.clock.step(hours=2)
    assert world.relay.reconcile() == 0
    assert len(world.queue.messages) == 2


def test_a_message_that_was_only_late_is_dropped(world: World) -> None:
    """The newer attempt number speaks."""
    world.accept()
    late = world.queue.messages.pop()
    world.clock.step(minutes=20)
    world.relay.reconcile()
    world.queue.messages.append(late)

    world.run()

    assert len(world.graph.calls) == 1


def test_a_lost_update_past_its_deadline_fails_if_it_was_tried(world: World) -> None:
    """And the daily run sees even the oldest."""
    world.graph.replies = [GraphReply(500)]
    update_id = world.accept()
    world.deliver_next()
    world.queue.messages.clear()
    world.clock.step(days=10)
    assert world.relay.reconcile() == 0
    assert world.relay.reconcile(everything=True) == 1

    world.run()

    outcome = world.outcome(update_id)
    assert outcome.error is not None
    assert outcome.error["code"] == "deadlineExceeded"


def test_an_outcome_older_than_its_update_is_overdue_only_after_its_next_attempt(world: World) -> None:
    """A long Retry-After is no loss."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=3600.0)]
    world.accept()
    world.deliver_next()
    world.clock.step(minutes=50)
    assert world.relay.reconcile() == 0
    assert world.queue.messages[0].visible - world.clock.now() > timedelta(minutes=5)


def test_a_hold_that_a_wrong_clock_wrote_stops_nothing(world: World) -> None:
    """300 days ahead lies beyond every hold."""
    world.accept()
    world.queue.messages.clear()
    row, etag = world.rate_limit.read()
    until = int((world.clock.now() + timedelta(days=300)).timestamp() * 1000)
    world.rate_limit.write(replace(row, hold_until=until), etag)
    world.clock.step(minutes=2)

    assert world.relay.reconcile() == 1
