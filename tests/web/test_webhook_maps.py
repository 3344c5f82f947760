"""Maps of webhook sources: what our two functions find, and how a fault is named."""

from typing import Any

import pytest

from tests.builders import POLICY
from tests.web.caller import problem
from tests.web.test_webhooks import a_world, send

KEY = {"X-Relay-Key": "k"}


def a_map(**members: str) -> dict[str, Any]:
    """Return a source with a map."""
    base = {"deviceCompliancePolicyId": f"'{POLICY}'", "deviceComplianceUserStatusId": "user"}
    verify = {"type": "header", "header": "X-Relay-Key", "secrets": ["k"]}
    return {"s": {"verify": verify, "map": base | {name.replace("__", "."): text for name, text in members.items()}}}


def test_an_event_reaches_the_whole_body() -> None:
    """``body()``, also inside ``$each``: many senders say once for all events when or for whom."""
    sources = a_map(userStatus__status="body().verdict", idempotencyKey="join('-', [body().id, user])")
    sources["s"]["map"]["$each"] = "users[].{user: @}"
    world = a_world(sources)
    sent = {"id": "e1", "verdict": "compliant", "users": ["a", "b"]}
    _, answer = send(world, "s", sent, KEY)
    resources = [world.resource(verdict["id"]) for verdict in answer["value"]]
    assert [resource["idempotencyKey"] for resource in resources] == ["e1-a", "e1-b"]
    assert [resource["userStatus"] for resource in resources] == [{"status": "compliant"}] * 2


TIMES = [
    (1795466000, "2026-11-23T20:33:20Z"),
    (1795466000275, "2026-11-23T20:33:20.275Z"),
    (1795466000.5, "2026-11-23T20:33:20.500Z"),
    ("1795466000275", "2026-11-23T20:33:20.275Z"),
    ("/Date(1795466000275)/", "2026-11-23T20:33:20.275Z"),
    ("/Date(1795466000275+0100)/", "2026-11-23T20:33:20.275Z"),
    ("2026-11-23 20:33:20", "2026-11-23T20:33:20Z"),
    ("2026-11-23 20:33:20.1234567", "2026-11-23T20:33:20.1234567Z"),
    ("2026-11-23T20:33:20", "2026-11-23T20:33:20Z"),
    ("2026-11-23T20:33:20.275", "2026-11-23T20:33:20.275Z"),
    ("2026-11-23T20:33:20.000+0100", "2026-11-23T20:33:20.000+01:00"),
    ("2026-11-23T20:33:20.123456789Z", "2026-11-23T20:33:20.1234567Z"),
    ("2026-11-23T20:33:20.7769392-08:00", "2026-11-23T20:33:20.7769392-08:00"),
    ("2026-11-23t20:33:20z", "2026-11-23t20:33:20z"),
]


@pytest.mark.parametrize(("sent", "read"), TIMES)
def test_a_time_in_any_usual_form_becomes_rfc_3339(sent: Any, read: str) -> None:
    """RFC 3339 itself passes through, character for character."""
    world = a_world(a_map(userStatus__lastReportedDateTime="timestamp(at)"))
    response, answer = send(world, "s", {"user": "u", "at": sent}, KEY)
    assert response.status_code == 202, answer
    assert world.resource(answer["value"][0]["id"])["userStatus"] == {"lastReportedDateTime": read}


@pytest.mark.parametrize("value", ["", "yesterday", "23.11.2026 20:30", "2026-11-23", 1e300, 10**17, "/Date(x)/"])
def test_what_is_no_time_is_a_fault_of_its_member(value: Any) -> None:
    """And not a value that is left out: the update would count as newer than it is."""
    world = a_world(a_map(userStatus__status="'compliant'", userStatus__lastReportedDateTime="timestamp(at)"))
    response, body = send(world, "s", {"user": "u", "at": value}, KEY)
    assert problem(response) == (400, "invalidMessage")
    assert [fault["pointer"] for fault in body["errors"]] == ["/userStatus/lastReportedDateTime"]


def test_a_null_is_no_time_and_no_fault() -> None:
    """The member is left out, as with every other expression that finds nothing."""
    world = a_world(a_map(userStatus__status="'compliant'", userStatus__lastReportedDateTime="timestamp(at)"))
    _, answer = send(world, "s", {"user": "u"}, KEY)
    assert world.resource(answer["value"][0]["id"])["userStatus"] == {"status": "compliant"}


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("join('-', [id, missing])", "join() takes an array of strings and found null"),
        ("to_number(at) > `1` && abs(missing)", "abs() takes a number and found null"),
        ("starts_with(id, `7`)", "starts_with() takes a string and found a number"),
        ("timestamp(`true`)", "timestamp() takes a number or a string or null and found a boolean"),
        ("max([`1`, 'x'])", "max() takes"),
    ],
)
def test_an_expression_that_does_not_fit_names_its_member_and_no_class_of_python(expression: str, words: str) -> None:
    """A sender, or who writes the map, reads what was found."""
    world = a_world(a_map(userStatus__status="'compliant'", idempotencyKey=expression))
    response, body = send(world, "s", {"user": "u", "id": "i", "at": "2"}, KEY)
    assert problem(response) == (400, "invalidMessage")
    (fault,) = body["errors"]
    assert fault["pointer"] == "/idempotencyKey"
    assert words in fault["detail"]
    for name in ("JMESPath", "NoneType", "Error", "str'", "dict"):
        assert name not in fault["detail"]
