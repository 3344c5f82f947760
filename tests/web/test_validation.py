"""A message is checked without being accepted: nothing is written, and the forecast is what would follow."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.functions import HttpResponse
from jsonschema_rs import Draft202012Validator

from shared.core.rate_limit.state import hold
from shared.service.ports.storage import Unavailable
from shared.web.openapi.document import document
from tests.builders import POLICY, USER, a_message, reported
from tests.web.caller import BASE, ask, post, problem
from tests.world import World

NAME = "ada@contoso.example"
#: Every port's methods that change something.
WRITES = {
    "queue": ("put",),
    "outcomes": ("insert", "insert_all", "replace", "replace_all"),
    "user_statuses": ("register", "register_all", "commit", "withdraw"),
    "idempotency_keys": ("reserve",),
    "rate_limit": ("write",),
}


def validated(world: World, message: Any, **headers: str) -> tuple[HttpResponse, Any]:
    """POST a message to be checked."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return ask(world.relay.validation.post_validation, "POST", message, headers=named)


def estimate(world: World) -> timedelta:
    """Return how long a message would wait for its turn."""
    _, body = validated(world, a_message())
    return datetime.fromisoformat(body["estimatedDeliveryDateTime"]) - world.clock.now()


def by_name() -> Any:
    """Return a message that names its user."""
    return a_message(deviceComplianceUserStatusId=None, userPrincipalName=NAME)


def test_a_valid_message_is_answered_with_what_would_become_of_it(world: World) -> None:
    """200 and no address: there is nothing to follow."""
    response, body = validated(world, a_message())

    assert response.status_code == 200
    assert not {"Location", "Operation-Location", "Retry-After"} & set(response.headers)
    assert list(body) == [
        "valid",
        "deviceComplianceUserStatusId",
        "wouldBeSuperseded",
        "heldBy",
        "estimatedDeliveryDateTime",
    ]
    assert (body["valid"], body["deviceComplianceUserStatusId"]) == (True, USER)
    assert (body["wouldBeSuperseded"], body["heldBy"]) == (False, None)
    components = document(BASE)["components"]
    schema = {"$ref": "#/components/schemas/Validation", "components": components}
    assert Draft202012Validator(schema).is_valid(body)


def test_nothing_is_written_and_graph_is_not_called(world: World) -> None:
    """Neither a key nor a slot of the quota is taken."""
    written: list[str] = []
    for port, names in WRITES.items():
        for name in names:
            setattr(getattr(world, port), name, lambda *_, name=name: written.append(name))
    for message in (a_message(idempotencyKey="k"), by_name(), {"userStatus": {}}):
        validated(world, message)
    assert not written
    assert not world.graph.calls
    assert not world.graph.lists


@pytest.mark.parametrize(
    "message",
    [
        {"userStatus": {"status": "x"}},
        [],
        b"{",
        b'{"a":1,"a":1}',
        b"{" + b" " * 49_152,
        a_message(expiresDateTime="2020-01-01T00:00:00Z"),
    ],
)
def test_faults_are_those_of_a_submission(world: World, message: Any) -> None:
    """All of them, with the same status, words and pointers."""
    submitted, expected = post(world, message)
    response, body = validated(world, message)
    assert response.status_code == submitted.status_code >= 400
    assert body == expected


@pytest.mark.parametrize("headers", [{"Content_Type": "text/plain"}, {"Idempotency_Key": '"'}])
def test_headers_are_judged_as_those_of_a_submission(world: World, headers: dict[str, str]) -> None:
    """415, or 400 for a key that is none."""
    submitted, expected = post(world, a_message(), **headers)
    response, body = validated(world, a_message(), **headers)
    assert (response.status_code, body) == (submitted.status_code, expected)


def test_a_body_in_chunks_is_asked_for_with_its_length(world: World) -> None:
    """411, as for a submission."""
    chunked = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    response, _ = ask(world.relay.validation.post_validation, "POST", b"", headers=chunked)
    assert problem(response) == (411, "lengthRequired")


def test_newer_values_that_stand_or_wait_would_supersede_it(world: World) -> None:
    """Each of its properties must be older: one that is not would be sent."""
    world.accept(userStatus=reported("20:00:00"))
    older, newer = (a_message(userStatus=reported(at)) for at in ("19:00:00", "20:00:01"))
    more = a_message(userStatus=reported("19:00:00", devicesCount=3))
    for _ in ("waiting", "confirmed"):
        assert validated(world, older)[1]["wouldBeSuperseded"] is True
        assert validated(world, newer)[1]["wouldBeSuperseded"] is False
        assert validated(world, more)[1]["wouldBeSuperseded"] is False
        world.run()


def test_a_name_is_known_once_its_list_was_read(world: World) -> None:
    """Until then the user status is null."""
    world.graph.users[POLICY] = [(USER, NAME)]
    assert validated(world, by_name())[1]["deviceComplianceUserStatusId"] is None
    world.accept(deviceComplianceUserStatusId=None, userPrincipalName=NAME)
    world.run()
    assert validated(world, by_name())[1]["deviceComplianceUserStatusId"] == USER


def test_the_estimate_grows_with_the_queue_and_with_a_hold(world: World) -> None:
    """100 messages take a window of the quota."""
    assert estimate(world) < timedelta(seconds=2)
    for n in range(100):
        world.accept(deviceComplianceUserStatusId=f"u{n}")
    assert timedelta(seconds=20) <= estimate(world) < timedelta(seconds=22)
    until = int(world.clock.now().timestamp() * 1000) + 600_000
    world.rate_limit.pacing = hold(world.rate_limit.pacing, until)
    assert timedelta(seconds=620) <= estimate(world) < timedelta(seconds=622)


def test_a_bulk_backlog_delays_bulk_updates_alone(world: World) -> None:
    """A normal update goes first."""
    for n in range(100):
        world.accept(deviceComplianceUserStatusId=f"u{n}", priority="bulk")
    assert estimate(world) < timedelta(seconds=2)
    _, body = validated(world, a_message(priority="bulk"))
    bulk = datetime.fromisoformat(body["estimatedDeliveryDateTime"]) - world.clock.now()
    assert timedelta(seconds=20) <= bulk < timedelta(seconds=22)


def test_storage_that_is_down_is_503(world: World) -> None:
    """With Retry-After."""

    def down(*_: Any) -> None:
        raise Unavailable("secret host")

    world.user_statuses.read = down  # type: ignore[method-assign]
    response, body = validated(world, a_message())
    assert problem(response) == (503, "storageUnavailable")
    assert "secret" not in str(body)
