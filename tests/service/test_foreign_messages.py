"""Messages that others put on the queue, by both of its entrances: the queue and its poison queue."""

import json

import pytest

from shared.core.delivery.outcome import State
from shared.service.delivery.deliver import Delivery
from tests.builders import NOW, a_message
from tests.core.intake.test_queue_text import MISTAKES, READABLE
from tests.world import World

ENTRANCES = ["queue", "poison queue"]


def receive(world: World, text: str, entrance: str) -> None:
    """Let the app take a message of this text, and deliver what follows from it."""
    delivery = Delivery(text.encode(), "foreign", NOW, 1)
    if entrance == "queue":
        world.relay.deliver(delivery)
    else:
        world.relay.consume_poison(delivery)
    world.run()


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(("text", "words", "raw"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_senders_mistake_is_an_outcome_that_names_it(
    world: World, text: str, words: str, raw: str, entrance: str
) -> None:
    """``failed``, ``invalidMessage``, with the text as far as it could be decoded."""
    receive(world, text, entrance)
    ((outcome, _),) = world.outcomes.rows.values()
    assert outcome.state is State.FAILED
    assert outcome.error is not None
    assert outcome.error["code"] == "invalidMessage"
    assert words in outcome.error["errors"][0]["detail"]
    assert outcome.raw_message == raw


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE.keys())
def test_a_message_in_any_encoding_is_delivered(world: World, text: str, entrance: str) -> None:
    """Plain, base64 or base64url."""
    receive(world, text, entrance)
    assert [outcome.state for outcome, _ in world.outcomes.rows.values()] == [State.DELIVERED]


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_messages_under_one_id_are_two_updates(world: World, entrance: str) -> None:
    """Where the metadata is not the host's own, the bytes still tell them apart."""
    for user in ("one", "two"):
        receive(world, json.dumps(a_message(deviceComplianceUserStatusId=user)), entrance)
    assert len(world.outcomes.rows) == 2
    assert world.in_graph(user="one") == world.in_graph(user="two") != {}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_what_dotnet_adds_and_a_broken_trace_context_fail_no_message(world: World, entrance: str) -> None:
    """``$AzureWebJobsParentId`` and ``traceparent`` are no part of the update."""
    added = {"$AzureWebJobsParentId": "0f8fad5b-d9cb-469f-a165-70867728950e", "traceparent": "00-0-0-00"}
    receive(world, json.dumps(a_message() | added), entrance)
    ((outcome, _),) = world.outcomes.rows.values()
    assert outcome.state is State.DELIVERED
    assert outcome.update is not None
    assert outcome.update.message == a_message()


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_name_with_an_invisible_character_fails_at_once(world: World, entrance: str) -> None:
    """And not as ``userStatusNotFound`` after a search of the policy's list."""
    message = a_message(deviceComplianceUserStatusId=None, userPrincipalName="a@contoso.example\u200b")
    receive(world, json.dumps(message), entrance)
    ((outcome, _),) = world.outcomes.rows.values()
    assert outcome.error is not None
    assert outcome.error["code"] == "invalidMessage"
    assert "\\u200b" in outcome.error["errors"][0]["detail"]
