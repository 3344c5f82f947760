"""Poison, reconciliation, retention."""

from datetime import datetime, timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.service.delivery.deliver import Delivery
from tests.builders import NOW, a_message, an_envelope
from tests.world import World


def test_a_readable_message_comes_back_from_poison_three_times(world: World) -> None:
    """Then its outcome says so, with the raw message, and its values are withdrawn."""
    update_id = world.accept()
    for n in range(3):
        message = world.queue.messages.pop()
        world.relay.consume_poison(Delivery(message.text.encode(), f"p{n}", NOW, 1))
        assert world.queue.documents()[0]["poisoned"] == n + 1
    last = world.queue.messages.pop()

    world.relay.consume_poison(Delivery(last.text.encode(), "p3", NOW, 1))

    outcome = world.outcome(update_id)
    assert outcome.state is State.FAILED
    assert outcome.error is not None
    assert outcome.error["code"] == "poisoned"
    assert outcome.raw_message == last.text
    assert not world.queue.messages
    assert not any(world.user_statuses.accepted.values())


def test_a_foreign_poison_message_is_put_back_as_an_envelope(world: World) -> None:
    """Its id is then its own."""
    import json

    world.relay.consume_poison(Delivery(json.dumps(a_message()).encode(), "p", NOW, 1))
    assert world.queue.documents()[0]["relay"] == 1
    world.run()
    assert [one.state for one, _ in world.outcomes.rows.values()] == [State.DELIVERED]


def test_an_unreadable_poison_message_gets_an_outcome_and_a_final_one_is_dropped(world: World) -> None:
    """Nothing is silent."""
    world.relay.consume_poison(Delivery(b"\xff", "p", NOW, 1))
    assert [one.state for one, _ in world.outcomes.rows.values()] == [State.FAILED]
    update_id = world.accept()
    text = world.queue.messages[0].text
    world.run()
    world.relay.consume_poison(Delivery(text.encode(), "q", NOW, 1))
    assert world.outcome(update_id).state is State.DELIVERED
    assert not world.queue.messages


def test_an_update_whose_message_was_lost_gets_its_turn(world: World) -> None:
    """Queued or waiting, after a quarter of an hour; not before."""
    queued = world.accept()
    world.graph.replies = [GraphReply(500)]
    waiting = world.accept(deviceComplianceUserStatusId="other")
    world.queue.messages.pop(0)
    world.deliver_next()
    world.queue.messages.clear()
    world.clock.step(minutes=14)
    assert world.relay.reconcile() == 0

    world.clock.step(minutes=2)
    assert world.relay.reconcile() == 2
    assert world.relay.reconcile() == 0
    world.run()

    assert {world.outcome(one).state for one in (queued, waiting)} == {State.DELIVERED}


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


def test_retention_purges_what_is_old_and_final(world: World) -> None:
    """Keys too; user statuses stay, and still keep old values out."""
    old = world.accept(idempotencyKey="k")
    world.run()
    world.clock.step(days=31)
    young = world.accept(deviceComplianceUserStatusId="other")

    assert world.relay.purge() == 2
    assert world.relay.purge() == 0

    assert world.outcomes.get(old) is None
    assert world.outcome(young)
    assert world.user_statuses.rows
    late = world.accept(userStatus={"status": "error", "lastReportedDateTime": "2010-01-01T00:00:00Z"})
    world.run()
    assert world.outcome(late).state is State.SUPERSEDED


def test_a_twin_that_comes_while_retention_runs_is_a_new_update(world: World) -> None:
    """Never the old one once more: its key goes before its outcome does."""
    old, purge, twins = world.accept(idempotencyKey="k"), world.outcomes.purge, []
    world.run()
    world.clock.step(days=31)

    def twin_first(before: datetime, limit: int) -> int:
        twins.append(world.accept(idempotencyKey="k"))
        return purge(before, limit)

    world.outcomes.purge = twin_first  # type: ignore[method-assign]
    world.relay.purge()
    assert twins[0] != old
    assert world.outcome(twins[0]).created > NOW


def test_purging_more_than_a_slice_goes_on(world: World) -> None:
    """In as many slices as it takes."""
    from dataclasses import replace

    from shared.core.delivery.outcome import Transition, advance, queued

    for n in range(1_203):
        outcome = advance(queued(replace(an_envelope(n=n)), NOW), Transition.CANCEL, NOW)
        world.outcomes.insert(outcome)
    world.clock.step(days=31)
    assert world.relay.purge() == 1_203


def test_an_outcome_older_than_its_update_is_overdue_only_after_its_next_attempt(world: World) -> None:
    """A long Retry-After is no loss."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=3600.0)]
    world.accept()
    world.deliver_next()
    world.clock.step(minutes=50)
    assert world.relay.reconcile() == 0
    assert world.queue.messages[0].visible - world.clock.now() > timedelta(minutes=5)
