"""Webhooks: anonymous at the host, so verified here, before a byte of the body is believed."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.strict_json import Fault, InvalidMessage
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.limits import MAX_BATCH_BYTES, MAX_MESSAGE_BYTES
from shared.core.intake.message_map import MessageMap
from shared.core.intake.queue_text import clean_text
from shared.core.intake.update import Update
from shared.core.intake.webhook_source import Challenge, Refusal, VerificationType, WebhookSource
from shared.service.intake.accept import Accept
from shared.service.intake.webhook_refusals import UNKNOWN, RefusedItem, WebhookRefusals
from shared.service.ports.runtime import Clock
from shared.web.batch import Item, accepted, bounded, under_key, with_keys
from shared.web.errors import handles_errors
from shared.web.openapi.operations import BODY_FAULTS, TEXT, as_json, body, header, operation, parameter
from shared.web.openapi.schemas import EXAMPLE, Schema, ref
from shared.web.request import body_of, json_body, malformed, origin_of
from shared.web.response import PROBLEMS, Problem, json_response
from shared.web.waiting import Waiting
from shared.web.webhook_verification import UNKNOWN_SOURCE, SignedRequest, refusal_of, standard_headers

_ORIGIN = re.compile(r"[A-Za-z0-9.:\-\[\]*]{1,253}")
_RATE = re.compile(r"[1-9]\d{0,8}")
_CHALLENGE = re.compile(r"[!-~]{1,1024}")
_ALLOW = {"Allow": "GET, HEAD, OPTIONS, POST"}
#: The problems of a genuine request's body as a whole.
_UNREADABLE = frozenset({PROBLEMS["invalidMessage"], PROBLEMS["notJson"]})


@dataclass(frozen=True)
class WebhooksApi:
    """``/api/webhooks/{source}``."""

    accept: Accept
    sources: Mapping[str, WebhookSource]
    refusals: WebhookRefusals
    clock: Clock
    waiting: Waiting

    @handles_errors
    def post_webhook(self, request: func.HttpRequest, *, invocation: str | None = None) -> func.HttpResponse:
        """Accept another system's request.

        The source's signature or secret is its proof; its map makes messages of its own JSON. Without a map the body is
        a message, an array of messages, `{"updates": [...]}` or CloudEvents. The path's source wins over the body's. An
        item that is no valid message gets an outcome; the same bytes again add nothing.
        """
        return self.waiting.finish_in_time(lambda: self._accepted(request, invocation))

    def _accepted(self, request: func.HttpRequest, invocation: str | None) -> func.HttpResponse:
        name, raw = request.route_params["source"], body_of(request, MAX_BATCH_BYTES)
        headers = {header.lower(): text for header, text in request.headers.items()}
        source = self._verified(name, headers, raw)
        if headers.get("aeg-event-type") == "SubscriptionValidation":
            return json_response(200, {"validationResponse": _validation_code(json_body(request, MAX_BATCH_BYTES))})
        items = self._items(name, source, headers, request)
        refused = [_refused(index, item) for index, item in enumerate(items) if isinstance(item.update, InvalidMessage)]
        kept = self.refusals.keep(name, raw, refused)
        self.refusals.count(name, Refusal.INVALID_MESSAGE if refused else None)
        return accepted(self.accept, items, submitted_by=None, origin=origin_of(request, invocation), kept=kept)

    @handles_errors
    def allow_webhook(self, request: func.HttpRequest) -> func.HttpResponse:
        """Answer the CloudEvents handshake.

        The abuse protection of CloudEvents' HTTP webhooks; the same for every source, known or not.
        """
        origin, rate = request.headers.get("WebHook-Request-Origin"), request.headers.get("WebHook-Request-Rate")
        if origin is None or not _ORIGIN.fullmatch(origin):
            return json_response(200, {}, _ALLOW)
        allowed = {"WebHook-Allowed-Origin": origin}
        if rate is not None:
            allowed["WebHook-Allowed-Rate"] = rate if _RATE.fullmatch(rate) else "*"
        return json_response(200, {}, _ALLOW | allowed)

    @handles_errors
    def get_webhook(self, request: func.HttpRequest) -> func.HttpResponse:
        """Answer Okta's one-time verification.

        Okta asks once whether the address is the receiver's. 404 for every source that has no such challenge.
        """
        source = self.sources.get(request.route_params["source"])
        challenge = request.headers.get("X-Okta-Verification-Challenge", "")
        if source is None or source.challenge is not Challenge.OKTA or not _CHALLENGE.fullmatch(challenge):
            raise Problem("notFound", "There is no challenge to answer: events are sent by POST.")
        return json_response(200, {"verification": challenge})

    def _verified(self, name: str, headers: Mapping[str, str], body: bytes) -> WebhookSource:
        """Return the source of a genuine request. Raise one and the same problem for every other."""
        source = self.sources.get(name)
        verification = source.verification if source else UNKNOWN_SOURCE
        refusal = refusal_of(verification, SignedRequest(headers, body, self.clock.now()))
        if source is not None and refusal is None:
            return source
        if source is None:
            self.refusals.count(UNKNOWN, Refusal.UNKNOWN_SOURCE)
        else:
            self.refusals.count(name, refusal)
        raise Problem("unauthorized", "The request is not signed as this source's requests are.")

    def _items(
        self, name: str, source: WebhookSource, headers: Mapping[str, str], request: func.HttpRequest
    ) -> list[Item]:
        """Return the request's messages. A body that is unreadable as a whole is kept, and a problem raised."""
        try:
            document = json_body(request, MAX_BATCH_BYTES)
            items = [_from(name, item) for item in _read(source.map, document, headers)]
        except Problem as problem:
            if problem.status in _UNREADABLE:
                faults = tuple(problem.errors) or (Fault("", problem.detail),)
                raw = request.get_body()
                self.refusals.keep(name, raw, [_whole(faults, raw)])
                self.refusals.count(name, Refusal.INVALID_MESSAGE)
            raise
        return _keyed(source, headers, document, items)


def _read(message_map: MessageMap | None, document: Any, headers: Mapping[str, str]) -> Iterator[Item]:
    """Yield the messages, each parsed; without a map the body holds them as they are."""
    if message_map is None:
        for at, message in _messages(_structured(headers, document)):
            yield Item(at, parse_message(message), message)
        return
    events = message_map.events(document)
    if isinstance(events, InvalidMessage):
        raise malformed(events)
    for at, event in bounded("", events) if message_map.each else [("", document)]:
        message = message_map.message(event, document)
        yield Item(at, message if isinstance(message, InvalidMessage) else parse_message(message), event)


def _messages(document: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(document, list):
        yield from bounded("", document)
    elif isinstance(document, dict) and document.keys() == {"updates"}:
        if not isinstance(document["updates"], list):
            raise malformed(InvalidMessage((Fault("/updates", "must be an array"),)))
        yield from bounded("/updates", document["updates"])
    else:
        yield "", document


def _structured(headers: Mapping[str, str], document: Any) -> Any:
    """Return a CloudEvent in binary content mode, its attributes in ``ce-`` headers, as a structured one."""
    if "ce-specversion" not in headers:
        return document
    attributes = {name.removeprefix("ce-"): text for name, text in headers.items() if name.startswith("ce-")}
    return {**attributes, "data": document}


def _from(name: str, item: Item) -> Item:
    return replace(item, update=item.update.having(source=name)) if isinstance(item.update, Update) else item


def _keyed(source: WebhookSource, headers: Mapping[str, str], document: Any, items: list[Item]) -> list[Item]:
    """Return the items under the request's ``webhook-id``, which Standard Webhooks repeat with the request."""
    if source.verification.type is not VerificationType.STANDARD_WEBHOOKS:
        return items
    webhook_id = standard_headers(headers)["webhook-id"]
    in_array = isinstance(document, list) or (isinstance(document, dict) and document.keys() == {"updates"})
    several = in_array if source.map is None else source.map.each is not None
    return with_keys(items, webhook_id) if several else [under_key(item, webhook_id) for item in items]


def _refused(index: int, item: Item) -> RefusedItem:
    faults = item.update.faults if isinstance(item.update, InvalidMessage) else ()
    text = json.dumps(item.sent, ensure_ascii=False).encode(errors="replace").decode()
    return RefusedItem(index, faults, text[:MAX_MESSAGE_BYTES])


def _whole(faults: tuple[Fault, ...], body: bytes) -> RefusedItem:
    """Return the whole body as the one refused item."""
    text = clean_text(body[:MAX_MESSAGE_BYTES])
    if text is None:
        return RefusedItem(0, faults, base64.b64encode(body[:MAX_MESSAGE_BYTES]).decode(), "base64")
    return RefusedItem(0, faults, text)


def _validation_code(document: Any) -> str:
    """Return the code of Event Grid's own handshake for its event schema (docs/graph-facts.md#f52)."""
    try:
        code = document[0]["data"]["validationCode"]
    except (LookupError, TypeError):
        code = None
    if not isinstance(code, str) or not code:
        raise malformed(InvalidMessage((Fault("/0/data/validationCode", "must be a non-empty string"),)))
    return code


_SOURCE = parameter("source", {**TEXT, "maxLength": 64}, "path", "The source's name in `WEBHOOK_SOURCES`.")
_BINARY_MODE = [
    parameter(f"ce-{name}", {"type": "string"}, "header", f"The event's `{name}` in binary content mode.")
    for name in ("specversion", "id", "source", "type")
]
_HANDSHAKE_HEADERS: Schema = {
    "Allow": header("The methods of this path."),
    "WebHook-Allowed-Origin": header("Who may send."),
    "WebHook-Allowed-Rate": header("How many requests a minute."),
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/webhooks/{source}": {
        "post": operation(
            WebhooksApi.post_webhook,
            "Webhooks",
            {
                200: as_json({"type": "object"}, "Event Grid's handshake: `validationResponse`."),
                202: as_json(ref("Verdicts"), "A verdict for each message; none where the request held none."),
            },
            401,
            *BODY_FAULTS,
            key=False,
            parameters=[_SOURCE, *_BINARY_MODE],
            requestBody=body(
                {"description": "The sender's own JSON; without a map, messages."},
                {"message": EXAMPLE, "nothing": []},
                cloudevents=ref("CloudEvent"),
                cloudevents_batch={"type": "array", "items": ref("CloudEvent")},
            ),
        ),
        "get": operation(
            WebhooksApi.get_webhook,
            "Webhooks",
            {200: as_json({"type": "object"}, "The challenge, as `verification`.")},
            404,
            key=False,
            parameters=[
                _SOURCE,
                parameter("X-Okta-Verification-Challenge", {"type": "string"}, "header", "What to send back."),
            ],
        ),
        "options": operation(
            WebhooksApi.allow_webhook,
            "Webhooks",
            {200: as_json({"type": "object"}, "Allowed.", _HANDSHAKE_HEADERS)},
            key=False,
            parameters=[
                _SOURCE,
                parameter("WebHook-Request-Origin", {"type": "string"}, "header", "Who asks to send."),
                parameter("WebHook-Request-Rate", {"type": "string"}, "header", "How many requests a minute."),
            ],
        ),
    },
}
