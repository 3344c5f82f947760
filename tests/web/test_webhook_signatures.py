"""Who may speak at a webhook: signatures as senders really make them, and what an impostor learns."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, a_message
from tests.web.caller import problem
from tests.web.test_webhooks import a_world, send, signed

BODY = json.dumps(a_message()).encode()
WORLD = a_world()


def digest(secret: str, content: bytes = BODY) -> str:
    """Return an HMAC in hex."""
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def test_several_signatures_in_one_header_are_tried() -> None:
    """As when the sender rotates its keys."""
    world, body = a_world(), json.dumps(a_message()).encode()
    headers = signed(body)
    stranger = signed(body, "whsec_" + base64.b64encode(b"x" * 24).decode())["webhook-signature"]
    headers["webhook-signature"] = f"{stranger} {headers['webhook-signature']}"
    assert send(world, "standard", body, headers)[0].status_code == 202


@pytest.mark.parametrize(("secret", "status"), [("old", 202), ("new", 202), ("other", 401)])
def test_an_hmac_of_any_current_secret_is_genuine(secret: str, status: int) -> None:
    """GitHub's way."""
    world, body = a_world(), json.dumps(a_message()).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert send(world, "github", body, {"x-hub-signature-256": signature})[0].status_code == status


def test_an_hmac_may_be_base64() -> None:
    """Shopify's way."""
    world, body = a_world(), json.dumps(a_message()).encode()
    signature = base64.b64encode(hmac.new(b"s", body, hashlib.sha256).digest()).decode()
    assert send(world, "base64", body, {"X-Sig": signature})[0].status_code == 202


def test_whoever_is_not_genuine_learns_nothing() -> None:
    """Unknown source, no signature, wrong, old, of another body: one and the same answer."""
    world, body = a_world(), json.dumps(a_message()).encode()
    late = datetime.now(UTC) - timedelta(minutes=6)
    early = datetime.now(UTC) + timedelta(minutes=6)
    attempts: list[tuple[str, dict[str, str]]] = [
        ("nobody", signed(body)),
        ("standard", {}),
        ("standard", signed(b"{}")),
        ("standard", signed(body, at=late)),
        ("standard", signed(body, at=early)),
        ("standard", signed(body) | {"webhook-id": "other"}),
        ("standard", signed(body) | {"webhook-signature": "v1"}),
        ("standard", signed(body) | {"webhook-timestamp": "nan"}),
        ("github", {"x-hub-signature-256": "sha256=zz"}),
        ("github", {"x-hub-signature-256": hmac.new(b"new", body, hashlib.sha256).hexdigest()}),
        ("eventgrid", {"X-Relay-Key": "let me out"}),
        ("eventgrid", {"X-Relay-Key": "\u00e9"}),
        ("eventgrid", {}),
    ]
    answers = set()
    for source, headers in attempts:
        response, details = send(world, source, body, headers)
        assert problem(response) == (401, "unauthorized")
        details.pop("instance")
        answers.add((json.dumps(details), json.dumps(dict(response.headers))))
    assert len(answers) == 1
    assert not world.queue.messages


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text(max_size=40)))
def test_no_garbage_in_a_signature_is_more_than_a_401(headers: dict[str, str]) -> None:
    """Whatever the verifier makes of it."""
    assert send(WORLD, "standard", b"{}", headers)[0].status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "sha256={old}, sha256={good}",
        "sha256={old},sha256={good}",
        "sha256={good} sha256={old}",
        "sha256=zz sha256={good}",
        "sha256= {good}",
        " sha256={good} ",
    ],
)
def test_one_of_several_signatures_is_enough(header: str) -> None:
    """Senders that rotate a key send both; some have white space after the prefix."""
    text = header.format(old=digest("another"), good=digest("new"))
    assert send(a_world(), "github", BODY, {"X-Hub-Signature-256": text})[0].status_code == 202


@pytest.mark.parametrize("header", ["{good}", "md5={good}", "sha256=", "sha256=,", "xsha256={good}", "sha256={good}00"])
def test_a_signature_without_its_prefix_is_none(header: str) -> None:
    """Several signatures make no way around it."""
    text = header.format(good=digest("new"))
    assert send(a_world(), "github", BODY, {"X-Hub-Signature-256": text})[0].status_code == 401


def test_the_old_names_of_standard_webhooks_are_read() -> None:
    """``svix-*``; the id is the idempotency key by either name."""
    world = a_world()
    old_names = {name.replace("webhook-", "svix-"): text for name, text in signed(BODY).items()}
    _, first = send(world, "standard", BODY, signed(BODY))
    response, second = send(world, "standard", BODY, old_names)
    assert response.status_code == 202
    assert first["value"][0]["id"] == second["value"][0]["id"]


def test_a_broken_signature_does_not_hide_a_good_one() -> None:
    """Of Standard Webhooks, several in one header."""
    headers = signed(BODY)
    headers["webhook-signature"] = f"v1a,xx v1,x v1,=== {headers['webhook-signature']}"
    assert send(a_world(), "standard", BODY, headers)[0].status_code == 202


def a_source(content: str, header: str, **verify: Any) -> dict[str, Any]:
    """Return a source whose signature covers more than the body."""
    known = {"type": "hmacSha256", "header": "X-Sig", "secrets": ["s"], "signedContent": content}
    return {"more": {"verify": known | {"timestampHeader": header} | verify}}


SLACK = a_source("v0:{header:X-Slack-Request-Timestamp}:{body}", "X-Slack-Request-Timestamp", prefix="v0=")
ZENDESK = a_source(
    "{header:X-Zendesk-Webhook-Signature-Timestamp}{body}", "X-Zendesk-Webhook-Signature-Timestamp", encoding="base64"
)
WEBFLOW = a_source("{header:X-Webflow-Timestamp}:{body}", "X-Webflow-Timestamp")


def test_a_signature_may_cover_the_time_of_the_request() -> None:
    """As of Slack (epoch seconds), Zendesk (RFC 3339) and Webflow (epoch milliseconds)."""
    seconds = str(int(NOW.timestamp()))
    slack = {"X-Slack-Request-Timestamp": seconds, "X-Sig": "v0=" + digest("s", f"v0:{seconds}:".encode() + BODY)}
    assert send(a_world(SLACK), "more", BODY, slack)[0].status_code == 202

    time = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    mac = hmac.new(b"s", time.encode() + BODY, hashlib.sha256).digest()
    zendesk = {"X-Zendesk-Webhook-Signature-Timestamp": time, "X-Sig": base64.b64encode(mac).decode()}
    assert send(a_world(ZENDESK), "more", BODY, zendesk)[0].status_code == 202

    webflow = {"X-Webflow-Timestamp": f"{seconds}000", "X-Sig": digest("s", f"{seconds}000:".encode() + BODY)}
    assert send(a_world(WEBFLOW), "more", BODY, webflow)[0].status_code == 202


@pytest.mark.parametrize("ahead", [-301, 301, -3600])
def test_an_old_request_is_not_taken_again(ahead: int) -> None:
    """Five minutes either way; the time is signed too, so it cannot be changed."""
    moment = str(int((NOW + timedelta(seconds=ahead)).timestamp()))
    headers = {"X-Slack-Request-Timestamp": moment, "X-Sig": "v0=" + digest("s", f"v0:{moment}:".encode() + BODY)}
    world = a_world(SLACK)
    assert problem(send(world, "more", BODY, headers)[0]) == (401, "unauthorized")
    headers["X-Slack-Request-Timestamp"] = str(int(NOW.timestamp()))
    assert send(world, "more", BODY, headers)[0].status_code == 401
    del headers["X-Slack-Request-Timestamp"]
    assert send(world, "more", BODY, headers)[0].status_code == 401
    assert not world.queue.messages
