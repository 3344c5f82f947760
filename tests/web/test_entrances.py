"""What is accepted and what is refused is the same at every HTTP entrance: one update, a batch, a webhook."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import a_message
from tests.web.caller import ask, post
from tests.web.test_webhooks import a_world, send
from tests.world import World

CONTEXT = "1" * 32 + "-" + "2" * 16


def by_update(world: World, message: dict[str, Any]) -> Any:
    """POST the message alone; return its id, or the problem."""
    _, body = post(world, message)
    return body.get("id", body)


def by_batch(world: World, message: dict[str, Any]) -> Any:
    """POST it as a batch of one."""
    _, body = ask(world.relay.batch.post_batch, "POST", {"updates": [message]})
    return body["value"][0]["id"] if "value" in body else body


def by_webhook(world: World, message: dict[str, Any]) -> Any:
    """POST it to a webhook."""
    _, body = send(world, "eventgrid", message, {"X-Relay-Key": "let me in"})
    return body["value"][0]["id"] if "value" in body else body


ENTRANCES: dict[str, tuple[Callable[[World, dict[str, Any]], Any], str]] = {
    "update": (by_update, ""),
    "batch": (by_batch, "/updates/0"),
    "webhook": (by_webhook, ""),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    "added",
    [
        {"$AzureWebJobsParentId": "0f8fad5b-d9cb-469f-a165-70867728950e"},
        {"traceparent": "00-0-0-00"},
        {"traceparent": None},
        {"traceparent": f"cc-{CONTEXT}-01-more"},
        {"userStatus": {"status": "compliant", "lastReportedDateTime": "0001-01-01T00:00:00Z"}},
        {"userStatus": {"lastReportedDateTime": "2017-01-01T00:00:00.1234567+14:00"}},
    ],
)
def test_what_senders_add_fails_no_message(added: dict[str, Any], entrance: str) -> None:
    """It is delivered, its values character for character."""
    world = a_world()
    message = a_message() | added
    update_id = ENTRANCES[entrance][0](world, message)
    world.run()
    resource = world.resource(update_id)
    assert resource["status"] == "succeeded"
    assert world.in_graph().items() >= message["userStatus"].items()


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"deviceComplianceUserStatusId": None, "userPrincipalName": "a@b.example "}, "/userPrincipalName", "\\u0020"),
        (
            {"deviceComplianceUserStatusId": None, "userPrincipalName": "a\u200b@b.example"},
            "/userPrincipalName",
            "\\u200b",
        ),
        (
            {"userStatus": {"lastReportedDateTime": "2017-01-01T00:00:00+14:01"}},
            "/userStatus/lastReportedDateTime",
            "14:00",
        ),
        (
            {"userStatus": {"lastReportedDateTime": "2016-12-31T23:59:60Z"}},
            "/userStatus/lastReportedDateTime",
            "leap second",
        ),
        ({"userStatus": {"status": "noncompliant"}}, "/userStatus/status", "nonCompliant"),
        ({"$other": 1}, "/$other", "not a member"),
    ],
)
def test_a_fault_says_what_to_change(changes: dict[str, Any], pointer: str, words: str, entrance: str) -> None:
    """At its member, in words for the sender."""
    call, prefix = ENTRANCES[entrance]
    problem = call(a_world(), a_message(**changes))
    (fault,) = problem["errors"]
    assert fault["pointer"] == prefix + pointer
    assert words in fault["detail"]


def test_a_report_of_the_year_1_keeps_no_later_value_out() -> None:
    """It orders by its acceptance; as a time it would be older than everything, and its value never written."""
    world = a_world()
    first = {"status": "compliant", "lastReportedDateTime": "2026-11-23T20:00:00Z"}
    never = {"status": "nonCompliant", "lastReportedDateTime": "0001-01-01T00:00:00Z"}
    for status in (first, never):
        by_update(world, a_message(userStatus=status))
        world.run()
    assert world.in_graph()["status"] == "nonCompliant"


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_message_that_was_serialized_twice_is_named(entrance: str) -> None:
    """As ConvertTo-Json on a string makes it."""
    problem = ENTRANCES[entrance][0](a_world(), "{}")  # type: ignore[arg-type]
    assert "serialized twice" in problem["errors"][0]["detail"]
