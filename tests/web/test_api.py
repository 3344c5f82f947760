"""The HTTP face through the wired app, with the host's own request type."""

import json
from typing import Any

import pytest

from shared.service.delivery.deliver import Delivery
from shared.service.ports.storage import Unavailable
from shared.settings import Settings
from shared.web.queue_message import delivery_of
from shared.web.response import json_response
from tests.builders import NOW, a_message, an_id
from tests.web.caller import URL, answered, ask, post, problem, request
from tests.world import World


def test_an_accepted_update_is_answered_with_its_resource_and_where_to_look(world: World) -> None:
    """202, Location, Operation-Location, Retry-After."""
    response, body = post(world, a_message())

    assert response.status_code == 202
    assert response.headers["Location"] == response.headers["Operation-Location"] == f"{URL}/{body['id']}"
    assert int(response.headers["Retry-After"]) > 0
    assert (body["status"], body["statusDetail"]) == ("notStarted", "queued")
    assert body["userStatus"] == a_message()["userStatus"]
    assert body["createdDateTime"] == "2026-11-23T20:30:00.000Z"
    assert len(world.queue.messages) == 1


def test_the_resource_has_just_the_contracts_members(world: World) -> None:
    """None missing, none more."""
    _, body = post(world, a_message())
    assert list(body) == [
        "id",
        "status",
        "statusDetail",
        "deviceCompliancePolicyId",
        "deviceComplianceUserStatusId",
        "userStatus",
        "source",
        "idempotencyKey",
        "priority",
        "expiresDateTime",
        "submittedBy",
        "createdDateTime",
        "lastActionDateTime",
        "nextAttemptDateTime",
        "attemptCount",
        "error",
        "supersededBy",
        "replayOf",
        "replayedBy",
        "heldBy",
        "verification",
        "attempts",
        "result",
    ]


def test_an_update_is_found_by_its_id(world: World) -> None:
    """With Retry-After until it is final; else 404."""
    update_id = world.accept()
    get = lambda message: answered(world.relay.updates.get_update(message))
    before = get(request("GET", route_params={"id": update_id}))
    world.run()
    after = get(request("GET", route_params={"id": update_id.upper()}))

    assert "Retry-After" in before.headers
    assert "Retry-After" not in after.headers
    assert json.loads(after.get_body())["attempts"][0]["statusCode"] == 200
    for unknown in (an_id(99), "x", "../secrets", ""):
        assert get(request("GET", route_params={"id": unknown})).status_code == 404


def test_all_faults_of_a_body_are_told_as_a_problem(world: World) -> None:
    """RFC 9457 with pointers."""
    response, body = post(world, {"userStatus": {"status": "x"}})

    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert set(body) == {"type", "title", "status", "detail", "instance", "errors"}
    assert body["instance"] == "/api/updates"
    assert {error["pointer"] for error in body["errors"]} == {
        "/deviceCompliancePolicyId",
        "/deviceComplianceUserStatusId",
        "/userStatus/status",
    }
    assert not world.queue.messages


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"{" + b" " * 49_152, "application/json", 413),
        (b'{"a":1,"a":1}', "application/json", 400),
        (b"[" * 20_000, "application/json", 400),
    ],
)
def test_bad_bodies_have_their_status(world: World, body: bytes, content_type: str, status: int) -> None:
    """Bounded before they are parsed."""
    response, problem = post(world, body, Content_Type=content_type)
    assert (response.status_code, problem["status"]) == (status, status)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/cloudevents+json"])
def test_json_by_any_of_its_names_is_taken(world: World, content_type: str) -> None:
    """RFC 6839's suffix counts."""
    assert post(world, a_message(), Content_Type=content_type)[0].status_code == 202


def test_a_body_in_chunks_is_asked_for_with_its_length(world: World) -> None:
    """The host passes on none of it: 411 says what to do, and not that an empty text is no JSON."""
    chunked = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    for handler in (world.relay.updates.post_update, world.relay.batch.post_batch, world.relay.erasures.post_erasure):
        response, body = ask(handler, "POST", b"", headers=chunked)
        assert problem(response) == (411, "lengthRequired")
        assert "Content-Length" in body["detail"]


def test_a_compressed_body_is_not_taken(world: World) -> None:
    """What it holds has no bound."""
    assert problem(post(world, a_message(), Content_Encoding="gzip")[0]) == (415, "contentEncoding")
    assert post(world, a_message(), Content_Encoding="identity")[0].status_code == 202


def test_what_no_text_can_hold_is_answered_all_the_same() -> None:
    """A lone surrogate in Graph's own words is legal JSON, and no UTF-8."""
    assert json.loads(json_response(200, {"userDisplayName": "\ud800"}).get_body()) == {"userDisplayName": "?"}


def test_a_repeat_repairs_what_died_between_reservation_and_queue(world: World) -> None:
    """Without an outcome nothing proves that the first was queued."""
    first = world.accept(idempotencyKey="k")
    world.queue.messages.clear()
    world.outcomes.rows.clear()
    world.user_statuses.accepted.clear()

    _, body = post(world, a_message(idempotencyKey="k"))

    assert body["id"] == first
    assert world.queue.documents()[0]["id"] == first


def test_a_queue_that_is_down_is_503_and_nothing_was_accepted(world: World) -> None:
    """With Retry-After."""

    def down(*_: Any) -> None:
        raise Unavailable("queue")

    world.queue.put = down  # type: ignore[method-assign]
    response, _ = post(world, a_message())

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert not world.outcomes.rows


def test_a_table_that_is_down_is_no_reason_to_refuse(world: World) -> None:
    """The consumer writes what is missing."""

    def down(*_: Any) -> None:
        raise Unavailable("table")

    insert, world.outcomes.insert = world.outcomes.insert, down  # type: ignore[assignment, method-assign]
    world.user_statuses.register = down  # type: ignore[method-assign]
    response, body = post(world, a_message())
    world.outcomes.insert = insert  # type: ignore[method-assign]
    world.run()

    assert response.status_code == 202
    assert world.resource(body["id"])["status"] == "succeeded"


def test_a_bug_tells_the_caller_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """500 as a problem; the log has the trace."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret inside")

    world.queue.put = broken  # type: ignore[method-assign]
    response, _ = post(world, a_message())

    assert response.status_code == 500
    assert b"secret" not in response.get_body()
    assert "ZeroDivisionError" in caplog.text


def test_who_submitted_is_told_only_where_it_was_established(world: World) -> None:
    """The header is forgeable otherwise."""
    _, body = post(world, a_message(), X_MS_CLIENT_PRINCIPAL_ID="me")
    assert body["submittedBy"] is None


def test_absolute_urls_come_from_the_public_base_where_it_is_set() -> None:
    """For apps behind a gateway."""
    world = World(
        Settings.from_environ(
            {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "PUBLIC_BASE_URL": "https://gw.example/r"}
        )
    )
    response, body = post(world, a_message())
    assert response.headers["Location"] == f"https://gw.example/r/api/updates/{body['id']}"


def test_liveness_and_unknown_paths(world: World) -> None:
    """The process runs; a path that is none is a problem."""
    assert answered(world.relay.health.live(request("GET"))).status_code == 200
    unknown = world.relay.openapi.unknown(request("GET", url="http://relay.example/api/nothing"))
    assert unknown.status_code == 404
    assert unknown.mimetype == "application/problem+json"


def test_a_queue_message_is_handed_over_with_its_counts() -> None:
    """Also one whose times have no zone."""
    from azure.functions.queue import QueueMessage

    message = QueueMessage(id="m", body=b"x", dequeue_count=3, insertion_time=NOW.replace(tzinfo=None))
    assert delivery_of(message, None, bulk=True) == Delivery(b"x", "m", NOW, 3, bulk=True)
    assert delivery_of(QueueMessage(id="m", body=b"x"), None, bulk=False).dequeue_count == 1
