"""Updates that are not worth sending after a time."""

from datetime import timedelta

import pytest

from shared.core.basics.timestamp import format_milliseconds
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from tests.builders import NOW, a_message, reported
from tests.web.caller import post
from tests.world import World


def after(**span: float) -> str:
    """That long after the world's first moment, as text."""
    return format_milliseconds(NOW + timedelta(**span))


def test_an_update_that_is_sent_in_time_is_delivered(world: World) -> None:
    """Its time is part of the resource."""
    update_id = world.accept(expiresDateTime=after(minutes=5))
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    assert world.resource(update_id)["expiresDateTime"] == after(minutes=5)


def test_an_update_that_was_not_sent_in_time_fails_without_a_call(world: World) -> None:
    """With a code of its own; nothing of it is pending any more."""
    update_id = world.accept(expiresDateTime=after(minutes=5))
    world.clock.step(minutes=5)
    world.run()
    outcome = world.outcome(update_id)
    assert (outcome.state, outcome.error and outcome.error["code"]) == (State.FAILED, "expired")
    assert world.graph.calls == []
    assert outcome.envelope
    assert world.user_statuses.read(outcome.envelope.user_status_key).accepted == ()


def test_a_waiting_update_ends_when_it_expires(world: World) -> None:
    """Not at the attempt that its backoff would come to."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=600.0)]
    update_id = world.accept(expiresDateTime=after(minutes=2))
    world.run()
    outcome = world.outcome(update_id)
    assert (outcome.state, outcome.error and outcome.error["code"]) == (State.FAILED, "expired")
    assert outcome.last_action < NOW + timedelta(minutes=12)
    assert len(world.graph.calls) == 1


def test_an_expired_value_is_not_sent_in_another_updates_turn(world: World) -> None:
    """Neither alone nor merged; the other update's own value is."""
    expired = world.accept(userStatus=reported("20:29:00", devicesCount=7), expiresDateTime=after(minutes=1))
    expired_message = world.queue.messages.pop()
    world.clock.step(minutes=2)
    other = world.accept(userStatus=reported("20:28:00", status="compliant"))
    world.run()
    world.queue.messages.append(expired_message)
    world.run()
    assert world.outcome(other).state is State.DELIVERED
    assert (world.outcome(expired).error or {})["code"] == "expired"
    assert "devicesCount" not in world.in_graph()


def test_an_expired_update_by_principal_name_needs_no_list(world: World) -> None:
    """It fails before anyone is looked up."""
    update_id = world.accept(
        deviceComplianceUserStatusId=None, userPrincipalName="ada@contoso.com", expiresDateTime=after(minutes=1)
    )
    world.clock.step(minutes=2)
    world.run()
    assert (world.outcome(update_id).error or {})["code"] == "expired"
    assert world.graph.lists == []


@pytest.mark.parametrize("text", ["2017-01-01T00:00:00Z", after(seconds=0), "soon", 5])
def test_an_update_that_has_expired_already_is_refused(world: World, text: object) -> None:
    """400 at its member, together with every other fault."""
    response, body = post(world, a_message(expiresDateTime=text, x=1))
    assert response.status_code == 400
    assert {fault["pointer"] for fault in body["errors"]} == {"/expiresDateTime", "/x"}
