"""Webhooks: who may speak, in which shape; and what an impostor learns."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest
from standardwebhooks.webhooks import Webhook

from shared.settings import Settings
from tests.builders import POLICY, a_message
from tests.web.caller import BASE, problem, request
from tests.world import World

OLD, NEW = "whsec_" + base64.b64encode(b"o" * 24).decode(), "whsec_" + base64.b64encode(b"n" * 24).decode()
SOURCES: dict[str, Any] = {
    "standard": {"verify": {"type": "standardWebhooks", "secrets": [OLD, NEW]}},
    "github": {
        "verify": {
            "type": "hmacSha256",
            "header": "X-Hub-Signature-256",
            "prefix": "sha256=",
            "encoding": "hex",
            "secrets": ["old", "new"],
        }
    },
    "base64": {"verify": {"type": "hmacSha256", "header": "X-Sig", "encoding": "base64", "secrets": ["s"]}},
    "eventgrid": {"verify": {"type": "header", "header": "X-Relay-Key", "secrets": ["let me in"]}},
    "mapped": {
        "verify": {"type": "header", "header": "X-Relay-Key", "secrets": ["k"]},
        "map": {
            "$each": "devices[?kind=='phone']",
            "deviceCompliancePolicyId": f"'{POLICY}'",
            "deviceComplianceUserStatusId": "owner",
            "userStatus.status": "ok && 'compliant' || 'nonCompliant'",
            "userStatus.devicesCount": "to_number(count)",
            "idempotencyKey": "id",
        },
    },
}


def a_world(sources: Any = None) -> World:
    """A relay with these sources."""
    environ = {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "WEBHOOK_SOURCES": json.dumps(sources or SOURCES)}
    return World(Settings.from_environ(environ))


def send(world: World, source: str, body: Any, headers: dict[str, str] | None = None) -> tuple[func.HttpResponse, Any]:
    """POST to a source's webhook."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = world.relay.webhooks.post_webhook(
        request("POST", raw, url=f"{BASE}/api/webhooks/{source}", headers=headers, route_params={"source": source})
    )
    return response, json.loads(response.get_body())


def signed(body: bytes, secret: str = NEW, *, at: datetime | None = None, name: str = "msg_1") -> dict[str, str]:
    """Headers of Standard Webhooks."""
    at = at or datetime.now(UTC)
    signature = Webhook(secret).sign(name, at, body.decode())
    return {"webhook-id": name, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_a_standard_webhook_is_accepted_under_its_id() -> None:
    """And its repetition makes no second update; either secret will do."""
    world, body = a_world(), json.dumps(a_message(source="forged")).encode()

    response, first = send(world, "standard", body, signed(body))
    _, second = send(world, "standard", body, signed(body, OLD))

    assert response.status_code == 202
    assert first["value"][0]["id"] == second["value"][0]["id"]
    outcome = world.resource(first["value"][0]["id"])
    assert (outcome["source"], outcome["idempotencyKey"]) == ("standard", "msg_1")
    assert len(world.queue.messages) == 1


def test_each_of_several_messages_has_the_id_and_its_index() -> None:
    """In an array, even of one."""
    world = a_world()
    two = [a_message(), a_message(deviceComplianceUserStatusId="b")]
    for messages in ([a_message()], {"updates": [a_message()]}, {"updates": two}):
        body = json.dumps(messages).encode()
        _, answer = send(world, "standard", body, signed(body, name=f"m{len(body)}"))
        keys = [world.resource(update["id"])["idempotencyKey"] for update in answer["value"]]
        assert keys == [f"m{len(body)}/{index}" for index in range(len(keys))]


def test_a_senders_own_json_becomes_messages() -> None:
    """By its map: filtered, converted, a message each."""
    event = {
        "devices": [
            {"kind": "phone", "id": "e1", "owner": "u1", "ok": True, "count": "3"},
            {"kind": "laptop", "id": "e2", "owner": "u2", "ok": True, "count": "1"},
            {"kind": "phone", "id": "e3", "owner": "u3", "ok": False, "count": "many"},
        ]
    }
    world = a_world()

    response, answer = send(world, "mapped", event, {"X-Relay-Key": "k"})

    assert response.status_code == 202
    resources = [world.resource(update["id"]) for update in answer["value"]]
    assert [resource["userStatus"] for resource in resources] == [
        {"status": "compliant", "devicesCount": 3},
        {"status": "nonCompliant"},
    ]
    assert [resource["idempotencyKey"] for resource in resources] == ["e1", "e3"]
    assert {resource["source"] for resource in resources} == {"mapped"}


@pytest.mark.parametrize("event", [{"devices": [{"kind": "phone"}]}, {"devices": [{"kind": "phone", "owner": [1]}]}])
def test_what_a_map_makes_is_validated_like_any_message(event: Any) -> None:
    """400 with the members of the message to blame."""
    response, body = send(a_world(), "mapped", event, {"X-Relay-Key": "k"})
    assert problem(response) == (400, "invalidMessage")
    assert any("/deviceComplianceUserStatusId" in fault["pointer"] for fault in body["errors"])


def test_an_event_that_a_map_leaves_out_is_taken_and_ignored() -> None:
    """A sender's ping is no fault of its."""
    for event in ({"devices": []}, {"ping": 1}):
        response, answer = send(a_world(), "mapped", event, {"X-Relay-Key": "k"})
        assert (response.status_code, answer) == (202, {"value": []})


def test_a_cloud_event_is_unwrapped() -> None:
    """Its source and id are the key."""
    event = {"specversion": "1.0", "id": "1", "source": "/hr", "type": "t", "data": a_message()}
    world = a_world()
    headers = {"X-Relay-Key": "let me in", "Content-Type": "application/cloudevents+json"}

    _, first = send(world, "eventgrid", event, headers)
    _, again = send(world, "eventgrid", [event], headers)

    assert first["value"][0]["id"] == again["value"][0]["id"]


def test_a_cloud_event_in_headers_is_the_same_event() -> None:
    """Binary content mode: the same identity, so the same update; an attribute that lacks is a fault."""
    event = {"specversion": "1.0", "id": "1", "source": "/hr", "type": "t", "data": a_message()}
    key, world = {"X-Relay-Key": "let me in"}, a_world()
    attributes = {f"ce-{name}": str(event[name]) for name in ("specversion", "id", "source", "type")}

    _, first = send(world, "eventgrid", event, key)
    _, again = send(world, "eventgrid", a_message(), key | attributes)

    assert first["value"][0]["id"] == again["value"][0]["id"]
    del attributes["ce-id"]
    assert send(world, "eventgrid", a_message(), key | attributes)[0].status_code == 400


@pytest.mark.parametrize("code", [None, "", {}, 7])
def test_a_handshake_without_a_code_is_refused(code: Any) -> None:
    """Nothing else is echoed."""
    asked = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": code}}]
    headers = {"aeg-event-type": "SubscriptionValidation", "X-Relay-Key": "let me in"}
    assert send(a_world(), "eventgrid", asked, headers)[0].status_code == 400


def test_event_grids_own_handshake_is_answered() -> None:
    """200 with the code; only to who knows the secret (docs/graph-facts.md#f52)."""
    asked = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d38b6"}}]
    headers = {"aeg-event-type": "SubscriptionValidation", "X-Relay-Key": "let me in"}
    response, answer = send(a_world(), "eventgrid", asked, headers)
    assert (response.status_code, answer) == (200, {"validationResponse": "512d38b6"})
    assert send(a_world(), "eventgrid", asked, headers | {"X-Relay-Key": "x"})[0].status_code == 401
    assert send(a_world(), "eventgrid", [], headers)[0].status_code == 400


@pytest.mark.parametrize("source", ["standard", "nobody"])
def test_the_cloud_events_handshake_allows_who_asks(source: str) -> None:
    """The same for every source (docs/graph-facts.md#f51)."""
    asked = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    response = a_world().relay.webhooks.allow_webhook(
        request("OPTIONS", url=f"{BASE}/api/webhooks/{source}", headers=asked, route_params={"source": source})
    )
    assert response.status_code == 200
    assert response.headers["WebHook-Allowed-Origin"] == "eventemitter.example.com"
    assert response.headers["WebHook-Allowed-Rate"] == "120"
    assert "POST" in response.headers["Allow"]


def test_a_handshake_echoes_nothing_that_is_no_origin() -> None:
    """No header of ours is made of a stranger's line."""
    response = a_world().relay.webhooks.allow_webhook(
        request("OPTIONS", headers={"WebHook-Request-Origin": "a\r\nb: c"}, route_params={"source": "x"})
    )
    assert "WebHook-Allowed-Origin" not in response.headers


def test_a_body_in_chunks_is_asked_for_with_its_length_before_it_is_verified() -> None:
    """Its signature cannot fit: none of it arrived. Known and unknown sources get the same answer."""
    for source in ("standard", "nobody"):
        response, _ = send(a_world(), source, b"", {"Content-Length": "", "Transfer-Encoding": "chunked"})
        assert problem(response) == (411, "lengthRequired")


def test_a_body_too_large_is_refused_before_it_is_verified() -> None:
    """Bounded first."""
    assert problem(send(a_world(), "standard", b"x" * 1_048_577)[0]) == (413, "tooLarge")
