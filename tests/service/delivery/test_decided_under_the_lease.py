"""What decides is read under the lease, however long the turn waited before."""

from dataclasses import replace
from datetime import timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State, Transition, advance
from shared.core.delivery.user_status import Acceptance, UserStatusRow
from tests.builders import an_envelope, reported
from tests.world import World


def cancel_halfway(world: World, update_id: str) -> None:
    """Write the outcome as a cancel does that dies before it withdraws the values."""
    outcome, etag = world.outcomes.rows[update_id]
    world.outcomes.rows[update_id] = (advance(outcome, Transition.CANCEL, world.clock.now()), etag + 1)


def test_a_cancel_that_died_halfway_during_a_hold_is_obeyed(world: World) -> None:
    """The turn read the outcome, then waited 55 seconds for the hold's end."""
    update_id = world.accept()
    world.relay.rate_limiter.record_read(GraphReply(429, retry_after_seconds=55))
    pause, canceled = world.clock.pause, []

    def wait(seconds: float) -> None:
        if not canceled:
            canceled.append(update_id)
            cancel_halfway(world, update_id)
        pause(seconds)

    world.clock.pause = wait  # type: ignore[method-assign]
    world.run()

    assert canceled
    assert world.graph.calls == []
    assert world.outcome(update_id).state is State.CANCELED
    assert not any(world.user_statuses.accepted.values())


def test_a_canceled_value_is_not_sent_by_another_updates_turn(world: World) -> None:
    """Its acceptance was left behind; the older update's own value goes out."""
    older = world.accept(userStatus=reported("12:00:00"))
    newer = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    cancel_halfway(world, newer)

    world.run()

    assert [call.properties["status"] for call in world.graph.calls] == ["compliant"]
    assert world.outcome(older).state is State.DELIVERED
    assert not any(world.user_statuses.accepted.values())


def test_an_acceptance_whose_outcome_was_purged_is_never_sent(world: World) -> None:
    """A month after its update was canceled, another update of the user has its turn."""
    left = world.accept(userStatus=reported("12:00:00", userDisplayName="left behind"))
    cancel_halfway(world, left)
    world.queue.messages.clear()
    world.clock.step(days=31)
    del world.outcomes.rows[left]

    world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.run()

    assert "userDisplayName" not in world.in_graph()
    assert not any(world.user_statuses.accepted.values())


def test_a_settled_acceptance_whose_outcome_was_purged_is_withdrawn(world: World) -> None:
    """Although Graph has newer values, so that it is not about to be sent."""
    left = world.accept(userStatus=reported("12:00:00"))
    cancel_halfway(world, left)
    world.queue.messages.clear()
    world.clock.step(days=31)
    del world.outcomes.rows[left]

    world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
    world.run()

    assert not any(world.user_statuses.accepted.values())


def test_an_acceptance_that_is_faster_than_its_outcome_is_sent(world: World) -> None:
    """Acceptance registers values before it makes the outcome."""
    envelope = an_envelope(60, 1, userStatus=reported("12:01:00", status="nonCompliant"))
    world.accept(userStatus=reported("12:00:00"))
    world.user_statuses.register(envelope.user_status_key, Acceptance.of(envelope))

    world.run()

    assert world.in_graph()["status"] == "nonCompliant"


def test_a_message_that_a_newer_one_replaced_during_the_wait_sends_nothing(world: World) -> None:
    """Reconciliation gave the update another message while this turn waited."""
    update_id = world.accept()
    outcome, etag = world.outcomes.rows[update_id]
    world.relay.rate_limiter.record_read(GraphReply(429, retry_after_seconds=55))
    pause = world.clock.pause

    def wait(seconds: float) -> None:
        world.outcomes.rows[update_id] = (replace(outcome, attempt=2), etag + 1)
        pause(seconds)

    world.clock.pause = wait  # type: ignore[method-assign]
    world.deliver_next()

    assert world.graph.calls == []
    assert world.outcome(update_id).state is State.QUEUED


def test_a_lease_of_a_clock_that_was_wrong_does_not_count(world: World) -> None:
    """It would keep the user status for 300 days."""
    update_id = world.accept()
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    world.clock.step(days=300)
    claim = world.relay.leases.acquire(
        envelope.user_status_key, row_of(world, update_id), holder="a turn of the wrong clock"
    )
    assert claim
    world.clock.step(days=-300)

    world.run(most=5)

    assert world.outcome(update_id).state is State.DELIVERED
    assert world.graph.calls[0].at - world.outcome(update_id).created < timedelta(minutes=1)


def row_of(world: World, update_id: str) -> UserStatusRow:
    """The update's user status before its first turn."""
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    return UserStatusRow.of(envelope)
