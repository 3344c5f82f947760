"""An update's turn: what is sent, what follows from Graph's answer."""

import json
from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.outcome import State
from tests.builders import NOW, a_message, reported
from tests.world import World


def test_a_transient_fault_waits_and_is_tried_again_as_a_new_message(world: World) -> None:
    """The next attempt is on the queue, delayed, before the old message is finished."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=30.0)]
    update_id = world.accept()

    world.deliver_next()

    waiting = world.resource(update_id)
    assert (waiting["status"], waiting["statusDetail"]) == ("running", "waiting")
    assert waiting["error"]["code"] == "graphUnavailable"
    assert waiting["nextAttemptDateTime"] is not None
    (document,) = world.queue.documents()
    assert (document["id"], document["attempt"]) == (update_id, 2)
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    assert world.graph.calls[1].at - world.graph.calls[0].at >= timedelta(seconds=30)


def test_a_permanent_answer_fails_at_once_and_is_never_tried_again(world: World) -> None:
    """404 is final."""
    world.graph.replies = [GraphReply(404, code="NotFound", message="no")]
    update_id = world.accept()

    world.run()

    assert world.resource(update_id)["error"]["code"] == "graphRejected"
    assert len(world.graph.calls) == 1


def test_a_late_older_status_never_overwrites_a_newer_one(world: World) -> None:
    """The older report is superseded without a call."""
    newer = world.accept(userStatus=reported("12:00:00", status="nonCompliant"))
    world.run()
    older = world.accept(userStatus=reported("11:00:00", status="compliant"))
    world.run()

    assert world.in_graph()["status"] == "nonCompliant"
    assert len(world.graph.calls) == 1
    assert world.outcome(older).state is State.SUPERSEDED
    assert world.outcome(older).superseded_by == newer


def test_what_a_turn_may_have_sent_is_known_to_the_next_even_if_it_died(world: World) -> None:
    """Nothing older goes out between the write of a message that nobody registered and its return."""

    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Died

    world.queue.put(json.dumps(a_message(userStatus=reported("12:00:00", status="nonCompliant"))))
    take, world.graph.patch_user_status = world.graph.patch_user_status, lambda *a, **k: (take(*a, **k), die())
    with pytest.raises(Died):
        world.deliver_next()
    world.graph.patch_user_status = take

    world.accept(userStatus=reported("11:00:00", status="compliant"))
    world.clock.step(minutes=1)
    while world.deliver_next():
        pass

    assert [call.properties["status"] for call in world.graph.calls] == ["nonCompliant"] * 2


def test_many_waiting_updates_of_one_user_cost_one_write(world: World) -> None:
    """The newest values go out in one call, whoever's turn it is."""
    ids = [world.accept(userStatus=reported(f"12:00:{n:02}", devicesCount=n)) for n in range(50)]

    world.run()

    assert len(world.graph.calls) == 1
    assert world.in_graph()["devicesCount"] == 49
    assert [world.outcome(update_id).state for update_id in ids] == [State.SUPERSEDED] * 49 + [State.DELIVERED]
    assert {world.outcome(update_id).superseded_by for update_id in ids[:-1]} == {ids[-1]}


def test_a_refused_merged_write_is_split_so_that_only_the_bad_one_fails(world: World) -> None:
    """Each update is tried with its own values, and fails alone."""
    world.graph.refuse = lambda properties: properties.get("userDisplayName") == "bad"
    good = world.accept(userStatus={"devicesCount": 3, "lastReportedDateTime": "2026-11-23T10:00:00Z"})
    bad = world.accept(userStatus={"userDisplayName": "bad", "lastReportedDateTime": "2026-11-23T11:00:00Z"})

    world.run()

    assert world.outcome(good).state is State.DELIVERED
    assert world.outcome(bad).state is State.FAILED
    assert world.in_graph()["devicesCount"] == 3
    assert "userDisplayName" not in world.in_graph()


def test_a_401_gets_one_new_token_and_one_more_try(world: World) -> None:
    """The second try has another token."""
    world.graph.replies = [GraphReply(401)]
    update_id = world.accept()

    world.run()

    assert [call.token for call in world.graph.calls] == ["token-1", "token-2"]
    assert world.outcome(update_id).attempt_count == 2
    assert world.outcome(update_id).state is State.DELIVERED


def test_without_a_token_an_update_waits_however_long(world: World) -> None:
    """An identity outage burns nothing, even past the deadline."""
    world.identity.fault = "the endpoint is away"
    update_id = world.accept()
    for _ in range(5):
        world.deliver_next()
        world.clock.step(hours=9)
    assert world.resource(update_id)["error"]["code"] == "identityUnavailable"

    world.identity.fault = None
    world.run()

    assert world.outcome(update_id).state is State.DELIVERED


def test_an_update_that_was_tried_fails_at_its_deadline_with_its_last_fault(world: World) -> None:
    """After 24 hours the last fault is told."""
    world.graph.replies = [GraphReply(503, message="busy")] * 1000
    update_id = world.accept()

    world.run(most=2000)

    error = world.resource(update_id)["error"]
    assert error["code"] == "deadlineExceeded"
    assert error["innerError"]["statusCode"] == 503
    assert world.outcome(update_id).last_action - NOW >= timedelta(hours=24)


def test_what_was_tried_fails_at_its_deadline_even_while_no_token_can_be_had(world: World) -> None:
    """Failing needs no call."""
    world.graph.replies = [GraphReply(503, message="busy")]
    update_id = world.accept()
    world.deliver_next()

    world.identity.fault = "the endpoint is away"
    world.run(most=2000)

    assert world.resource(update_id)["error"]["code"] == "deadlineExceeded"
    assert len(world.graph.calls) == 1


def test_after_a_timeout_the_user_status_is_left_alone_until_that_call_can_no_longer_land(world: World) -> None:
    """Nobody writes this user status for longer than a whole call takes."""
    world.graph.replies = [GraphReply(None, TransportFault.TIMEOUT)]
    first = world.accept(userStatus=reported("12:00:00"))
    world.deliver_next()
    second = world.accept(userStatus=reported("12:01:00", status="nonCompliant"))

    world.run()

    assert world.graph.calls[1].at - world.graph.calls[0].at >= timedelta(seconds=30)
    assert world.in_graph()["status"] == "nonCompliant"
    assert world.outcome(first).state in (State.SUPERSEDED, State.DELIVERED)
    assert world.outcome(second).state is State.DELIVERED


def test_a_report_from_the_far_future_counts_as_its_acceptance(world: World) -> None:
    """A wrong clock at the sender blocks nobody."""
    world.accept(userStatus={"status": "compliant", "lastReportedDateTime": "2099-01-01T00:00:00Z"})
    world.run()
    world.clock.step(minutes=10)
    world.accept(userStatus={"status": "nonCompliant", "lastReportedDateTime": "2026-11-23T20:40:00Z"})
    world.run()

    assert world.in_graph()["status"] == "nonCompliant"
