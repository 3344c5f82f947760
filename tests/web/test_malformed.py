"""Ten thousand malformed requests: never a 500, never a trace of what is inside."""

import asyncio
import inspect
import json
from typing import Any
from urllib.parse import urlencode

import azure.functions as func
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import a_message
from tests.web.caller import BASE
from tests.web.test_webhooks import a_world

WORLD = a_world()
RELAY = WORLD.relay
LOOP = asyncio.new_event_loop()
EACH = 2_500

texts = st.text(max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
members = st.sampled_from(
    [*a_message(), "idempotencyKey", "source", "traceparent", "userPrincipalName", "updates", "id"]
)
near = st.builds(
    lambda changes, status: a_message(**changes) | {"userStatus": status},
    st.dictionaries(members, json_values, max_size=2),
    json_values | st.dictionaries(st.sampled_from(list(a_message()["userStatus"])), json_values, max_size=3),
)
bodies = (
    st.binary(max_size=60)
    | json_values.map(lambda value: json.dumps(value).encode())
    | near.map(lambda value: json.dumps(value).encode())
    | st.lists(near, max_size=3).map(lambda value: json.dumps({"updates": value}).encode())
    | near.flatmap(lambda value: st.integers(0, 300).map(lambda at: json.dumps(value).encode()[:at]))
)
header_names = st.sampled_from(
    [
        "Content-Type",
        "Idempotency-Key",
        "Prefer",
        "X-Relay-Key",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "X-Hub-Signature-256",
        "aeg-event-type",
        "WebHook-Request-Origin",
        "WebHook-Request-Rate",
    ]
)
headers = st.dictionaries(
    header_names,
    texts | st.sampled_from(["application/json", "wait=1", "let me in", "SubscriptionValidation", '"', "k", "sha256="]),
    max_size=4,
)
names = st.sampled_from(
    [
        "status",
        "statusDetail",
        "deviceCompliancePolicyId",
        "deviceComplianceUserStatusId",
        "source",
        "idempotencyKey",
        "createdAfter",
        "createdBefore",
        "top",
        "continuation",
        "code",
        "x",
    ]
)
queries = st.dictionaries(
    names,
    texts
    | st.sampled_from(
        [
            "succeeded",
            "waiting",
            "0",
            "-1",
            "1e3",
            "٣",
            "2026-11-23T10:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.9999999-14:00",
            "' or ''='",
            "before-",
        ]
    ),
    max_size=4,
)


def check(handler: Any, request: func.HttpRequest) -> None:
    """No 500, a JSON body, nothing internal."""
    call = handler(request)
    response = LOOP.run_until_complete(call) if inspect.isawaitable(call) else call
    text = response.get_body().decode()
    assert response.status_code < 500, text
    assert isinstance(json.loads(text), dict)
    assert "Traceback" not in text
    for name, value in response.headers.items():
        assert "\n" not in f"{name}{value}"
        assert "\r" not in f"{name}{value}"


def a_request(body: bytes, sent_headers: dict[str, str], query: dict[str, str], **params: str) -> func.HttpRequest:
    """As the host hands it over."""
    whole = {"Content-Type": "application/json", "Content-Length": str(len(body))} | sent_headers
    url = f"{BASE}/api/x?{urlencode(query)}"
    return func.HttpRequest("POST", url, headers=whole, params=query, route_params=params, body=body)


@settings(max_examples=EACH)
@given(bodies, headers)
def test_no_update_is_too_malformed_for_an_answer(body: bytes, sent_headers: dict[str, str]) -> None:
    """One message."""
    WORLD.graph.replies.clear()
    check(RELAY.validation.post_validation, a_request(body, sent_headers, {}))
    check(RELAY.updates.post_update, a_request(body, sent_headers, {}))


@settings(max_examples=EACH)
@given(bodies, headers, st.sampled_from(["post_batch", "replay_updates"]))
def test_no_batch_or_filter_is_too_malformed_for_an_answer(
    body: bytes, sent_headers: dict[str, str], name: str
) -> None:
    """Many messages."""
    check(
        RELAY.batch.post_batch if name == "post_batch" else RELAY.updates.replay_updates,
        a_request(body, sent_headers, {}),
    )


@settings(max_examples=EACH)
@given(queries, headers, texts, st.sampled_from(["list", "get", "cancel", "replay", "user status"]))
def test_no_query_or_path_is_too_malformed_for_an_answer(
    query: dict[str, str], sent_headers: dict[str, str], text: str, name: str
) -> None:
    """What is asked."""
    handlers = {
        "list": RELAY.updates.list_updates,
        "get": RELAY.updates.get_update,
        "cancel": RELAY.updates.cancel_update,
        "replay": RELAY.updates.replay_update,
        "user status": RELAY.user_statuses.get_user_status,
    }
    check(
        handlers[name],
        a_request(b"", sent_headers, query, id=text, deviceCompliancePolicyId=text, deviceComplianceUserStatusId=text),
    )


@settings(max_examples=EACH)
@given(bodies, headers, st.sampled_from(["standard", "github", "base64", "eventgrid", "mapped"]), st.booleans())
def test_no_webhook_is_too_malformed_for_an_answer(
    body: bytes, sent_headers: dict[str, str], source: str, asked: bool
) -> None:
    """Signed or not."""
    keyed = {"X-Relay-Key": "k" if source == "mapped" else "let me in"} | sent_headers
    handler = RELAY.webhooks.allow_webhook if asked else RELAY.webhooks.post_webhook
    check(handler, a_request(body, keyed, {}, source=source))
