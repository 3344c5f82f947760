"""Asking for an erasure over HTTP."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given, settings

from shared.core.delivery.graph_reply import GraphReply
from shared.settings import Settings
from tests.builders import POLICY, USER, an_id
from tests.service.lives import ERASURES, NAME, erase, erasure, lived, status
from tests.web.caller import BASE, answered, ask, problem, request, route_of
from tests.web.test_malformed import bodies, headers
from tests.web.test_operations import a_schema
from tests.world import World


def test_an_erasure_is_an_operation_that_pollers_follow(world: World) -> None:
    """202 with its address, and when to ask again; 200 there."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=60.0)]
    world.accept(userStatus=status(NAME))
    world.deliver_next()

    response, begun = ask(world.relay.erasures.post_erasure, "POST", {"userPrincipalName": NAME}, url=ERASURES)

    assert response.status_code == 202
    assert (
        response.headers["Location"] == response.headers["Operation-Location"] == f"{BASE}/api/erasures/{begun['id']}"
    )
    assert int(response.headers["Retry-After"]) > 0
    assert a_schema("Erasure").is_valid(begun)
    assert begun["status"] == "running"
    response, again = ask(world.relay.erasures.get_erasure, route_params={"id": begun["id"].upper()})
    assert (response.status_code, again) == (200, begun)
    assert "Retry-After" in response.headers
    world.run()
    world.clock.step(minutes=1)
    world.relay.erase()
    response, ended = ask(world.relay.erasures.get_erasure, route_params={"id": begun["id"]})
    assert ended["status"] == "succeeded"
    assert "Retry-After" not in response.headers
    assert a_schema("Erasure").is_valid(ended)


@pytest.mark.parametrize("unknown", [an_id(7), "x", "", "../updates"])
def test_an_erasure_that_nobody_asked_for_is_not_found(world: World, unknown: str) -> None:
    """404."""
    response = answered(world.relay.erasures.get_erasure(request("GET", route_params={"id": unknown})))
    assert problem(response) == (404, "notFound")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"userPrincipalName": NAME, "deviceComplianceUserStatusId": USER}, "/userPrincipalName"),
        ({"deviceCompliancePolicyId": POLICY}, "/deviceComplianceUserStatusId"),
        ({"userPrincipalname": NAME}, "/userPrincipalname"),
    ],
)
def test_a_request_that_does_not_say_whom_is_refused_and_kept_nowhere(
    world: World, body: dict[str, str], pointer: str
) -> None:
    """400, with the member to blame; nothing begins."""
    response, details = ask(world.relay.erasures.post_erasure, "POST", body, url=ERASURES)
    assert problem(response) == (400, "invalidMessage")
    assert pointer in [fault["pointer"] for fault in details["errors"]]
    assert not world.erasures.rows


def test_a_body_that_is_no_json_or_too_large_is_refused(world: World) -> None:
    """415, 413, 400 for a key that comes twice."""
    plain = request("POST", {"userPrincipalName": NAME}, headers={"Content-Type": "text/plain"})
    assert problem(answered(world.relay.erasures.post_erasure(plain))) == (415, "notJson")
    large = request("POST", b'{"userPrincipalName": "' + b"a" * 50_000 + b'"}')
    assert problem(answered(world.relay.erasures.post_erasure(large))) == (413, "tooLarge")
    twice = request("POST", b'{"userPrincipalName": "a@b", "userPrincipalName": "c@d"}')
    assert problem(answered(world.relay.erasures.post_erasure(twice))) == (400, "invalidMessage")


def test_what_is_erased_is_answered_as_described(world: World) -> None:
    """Each resource, the list, the user status."""
    ids = lived(world)
    erase(world)
    for update_id in ids:
        _, resource = ask(world.relay.updates.get_update, route_params={"id": update_id})
        assert a_schema("UpdateResource").is_valid(resource)
    _, page = ask(world.relay.updates.list_updates)
    assert a_schema("UpdateList").is_valid(page)
    _, resource = ask(world.relay.user_statuses.get_user_status, route_params=route_of(POLICY, "ada-1"))
    assert a_schema("UserStatus").is_valid(resource)
    assert "lovelace" not in json.dumps([page, resource]).lower()


def test_no_log_line_names_whom_an_erasure_is_about(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Not even when something goes wrong."""
    lived(world)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    scan = world.outcomes.scan

    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    world.outcomes.scan = broken  # type: ignore[method-assign]
    begun = erase(world)
    world.outcomes.scan = scan  # type: ignore[method-assign]
    world.relay.erase()
    assert erasure(world, begun["id"])["status"] == "succeeded"
    logged = [f"{record.__dict__} {record.exc_text}" for record in caplog.records]
    assert len(logged) >= 3
    assert "lovelace" not in " ".join(logged).lower()


WORLD = World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}))


@settings(max_examples=300)
@given(bodies, headers)
def test_no_request_is_too_malformed_for_an_answer(body: bytes, sent_headers: dict[str, str]) -> None:
    """Never a 500."""
    response = answered(WORLD.relay.erasures.post_erasure(request("POST", body, url=ERASURES, headers=sent_headers)))
    assert response.status_code in (202, 400, 413, 415)
    assert isinstance(json.loads(response.get_body()), dict)
