"""Webhooks: anonymous at the host, so verified here, before a byte of the body is believed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.strict_json import Fault, InvalidMessage
from shared.core.intake.limits import MAX_BATCH_BYTES
from shared.core.intake.webhook_source import Challenge, Refusal, WebhookSource
from shared.service.intake.accept import Accept
from shared.service.intake.webhook_refusals import UNKNOWN, WebhookRefusals
from shared.service.ports.runtime import Clock
from shared.web.batch import Item, accepted
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import BODY_FAULTS, as_json, body, header, operation, parameter
from shared.web.openapi.schemas import EXAMPLE, Schema, ref
from shared.web.request import body_of, json_body, malformed, origin_of
from shared.web.response import PROBLEMS, Problem, json_response
from shared.web.waiting import Waiting
from shared.web.webhook_messages import from_source, messages_in, refused_body, refused_item, with_request_key
from shared.web.webhook_verification import UNKNOWN_SOURCE, SignedRequest, refusal_of

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

    @endpoint
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
        refused = [
            refused_item(index, item) for index, item in enumerate(items) if isinstance(item.update, InvalidMessage)
        ]
        kept = self.refusals.keep(name, raw, refused)
        self.refusals.count(name, Refusal.INVALID_MESSAGE if refused else None)
        return accepted(self.accept, items, submitted_by=None, origin=origin_of(request, invocation), kept=kept)

    @endpoint
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

    @endpoint
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
            items = [from_source(name, item) for item in messages_in(source.map, document, headers, self.clock.now())]
        except Problem as problem:
            if problem.status in _UNREADABLE:
                faults = tuple(problem.errors) or (Fault("", problem.detail),)
                raw = request.get_body()
                self.refusals.keep(name, raw, [refused_body(faults, raw)])
                self.refusals.count(name, Refusal.INVALID_MESSAGE)
            raise
        return with_request_key(source, headers, document, items)


def _validation_code(document: Any) -> str:
    """Return the code of Event Grid's own handshake for its event schema (docs/graph-facts.md#f52)."""
    try:
        code = document[0]["data"]["validationCode"]
    except (LookupError, TypeError):
        code = None
    if not isinstance(code, str) or not code:
        raise malformed(InvalidMessage((Fault("/0/data/validationCode", "must be a non-empty string"),)))
    return code


_SOURCE = parameter("source", {"type": "string"}, "path", "The source's name in `WEBHOOK_SOURCES`.")
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
            parameters=[
                _SOURCE,
                parameter("X-Okta-Verification-Challenge", {"type": "string"}, "header", "What to send back."),
            ],
        ),
        "options": operation(
            WebhooksApi.allow_webhook,
            "Webhooks",
            {200: as_json({"type": "object"}, "Allowed.", _HANDSHAKE_HEADERS)},
            parameters=[
                _SOURCE,
                parameter("WebHook-Request-Origin", {"type": "string"}, "header", "Who asks to send."),
                parameter("WebHook-Request-Rate", {"type": "string"}, "header", "How many requests a minute."),
            ],
        ),
    },
}
