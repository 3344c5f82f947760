"""Webhooks: anonymous at the host, so verified here, before a byte of the body is believed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.strict_json import Fault, InvalidMessage
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.limits import MAX_BATCH_BYTES
from shared.core.intake.update import Update
from shared.core.intake.webhook_source import MessageMap, VerificationType, WebhookSource
from shared.service.intake.accept import Accept
from shared.web.batch import Item, accepted, bounded, under_key, with_keys
from shared.web.errors import handles_errors
from shared.web.request import body_of, json_body, malformed, origin_of
from shared.web.response import Problem, json_response
from shared.web.webhook_verification import UNKNOWN_SOURCE, is_verified

_ORIGIN = re.compile(r"[A-Za-z0-9.:\-\[\]*]{1,253}")
_RATE = re.compile(r"[1-9]\d{0,8}")
_ALLOW = {"Allow": "OPTIONS, POST"}


@dataclass(frozen=True)
class WebhooksApi:
    """``/api/webhooks/{source}``."""

    accept: Accept
    sources: Mapping[str, WebhookSource]

    @handles_errors
    def post_webhook(self, request: func.HttpRequest, *, invocation: str | None = None) -> func.HttpResponse:
        """Verify, read, accept; the path's source wins over the body's."""
        name = request.route_params["source"]
        source, body = self.sources.get(name), body_of(request, MAX_BATCH_BYTES)
        headers = {header.lower(): text for header, text in request.headers.items()}
        genuine = is_verified(source.verification if source else UNKNOWN_SOURCE, headers, body)
        if source is None or not genuine:
            raise Problem("unauthorized", "The request is not signed as this source's requests are.")
        document = json_body(request, MAX_BATCH_BYTES)
        if headers.get("aeg-event-type") == "SubscriptionValidation":
            return json_response(200, {"validationResponse": _validation_code(document)})
        items = [_from(name, item) for item in _items(source.map, document, headers)]
        keyed = _keyed(source, headers, document, items)
        return accepted(self.accept, keyed, submitted_by=None, origin=origin_of(request, invocation))

    @handles_errors
    def allow_webhook(self, request: func.HttpRequest) -> func.HttpResponse:
        """The CloudEvents handshake (docs/graph-facts.md#f51); the same for every source, known or not."""
        origin, rate = request.headers.get("WebHook-Request-Origin"), request.headers.get("WebHook-Request-Rate")
        if origin is None or not _ORIGIN.fullmatch(origin):
            return json_response(200, {}, _ALLOW)
        allowed = {"WebHook-Allowed-Origin": origin}
        if rate is not None:
            allowed["WebHook-Allowed-Rate"] = rate if _RATE.fullmatch(rate) else "*"
        return json_response(200, {}, _ALLOW | allowed)


def _items(message_map: MessageMap | None, document: Any, headers: Mapping[str, str]) -> Iterator[Item]:
    """The messages, each parsed; without a map the body holds them as they are."""
    if message_map is None:
        yield from (Item(at, parse_message(message)) for at, message in _messages(_structured(headers, document)))
        return
    events = message_map.events(document)
    if isinstance(events, InvalidMessage):
        raise malformed(events)
    for at, event in bounded("", events):
        message = message_map.message(event)
        yield Item(at, message if isinstance(message, InvalidMessage) else parse_message(message))


def _messages(document: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(document, list):
        yield from bounded("", document)
    elif isinstance(document, dict) and document.keys() == {"updates"} and isinstance(document["updates"], list):
        yield from bounded("/updates", document["updates"])
    else:
        yield "", document


def _structured(headers: Mapping[str, str], document: Any) -> Any:
    """A CloudEvent in binary content mode, its attributes in ``ce-`` headers, as the structured one that it equals."""
    if "ce-specversion" not in headers:
        return document
    attributes = {name.removeprefix("ce-"): text for name, text in headers.items() if name.startswith("ce-")}
    return {**attributes, "data": document}


def _from(name: str, item: Item) -> Item:
    return Item(item.at, item.update.having(source=name)) if isinstance(item.update, Update) else item


def _keyed(source: WebhookSource, headers: Mapping[str, str], document: Any, items: list[Item]) -> list[Item]:
    """Standard Webhooks repeat a request under its ``webhook-id``."""
    if source.verification.type is not VerificationType.STANDARD_WEBHOOKS:
        return items
    in_array = isinstance(document, list) or (isinstance(document, dict) and document.keys() == {"updates"})
    several = in_array if source.map is None else source.map.each is not None
    return (
        with_keys(items, headers["webhook-id"])
        if several
        else [under_key(item, headers["webhook-id"]) for item in items]
    )


def _validation_code(document: Any) -> str:
    """Event Grid's own handshake for its event schema (docs/graph-facts.md#f52)."""
    try:
        code = document[0]["data"]["validationCode"]
    except (LookupError, TypeError):
        code = None
    if not isinstance(code, str) or not code:
        raise malformed(InvalidMessage((Fault("/0/data/validationCode", "must be a non-empty string"),)))
    return code
