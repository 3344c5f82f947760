"""The messages in a webhook's body: the sender's own JSON by its map, messages, or CloudEvents."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.core.basics.strict_json import Fault, InvalidMessage
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.limits import MAX_MESSAGE_BYTES
from shared.core.intake.message_map import MessageMap
from shared.core.intake.queue_text import clean_text
from shared.core.intake.update import Update
from shared.core.intake.webhook_source import VerificationType, WebhookSource
from shared.service.intake.webhook_refusals import RefusedItem
from shared.web.batch import Item, bounded, under_key, with_keys
from shared.web.request import malformed
from shared.web.webhook_verification import standard_headers


def messages_in(
    message_map: MessageMap | None, document: Any, headers: Mapping[str, str], now: datetime
) -> Iterator[Item]:
    """Yield the messages, each parsed; without a map the body holds them as they are."""
    if message_map is None:
        for at, message in _messages(_structured(headers, document)):
            yield Item(at, parse_message(message, now=now), message)
        return
    events = message_map.events(document)
    if isinstance(events, InvalidMessage):
        raise malformed(events)
    for at, event in bounded("", events) if message_map.each else [("", document)]:
        message = message_map.message(event, document)
        yield Item(at, message if isinstance(message, InvalidMessage) else parse_message(message, now=now), event)


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


def with_request_key(source: WebhookSource, headers: Mapping[str, str], document: Any, items: list[Item]) -> list[Item]:
    """Return the items under the request's ``webhook-id``, which Standard Webhooks repeat with the request."""
    if source.verification.type is not VerificationType.STANDARD_WEBHOOKS:
        return items
    webhook_id = standard_headers(headers)["webhook-id"]
    in_array = isinstance(document, list) or (isinstance(document, dict) and document.keys() == {"updates"})
    several = in_array if source.map is None else source.map.each is not None
    return with_keys(items, webhook_id) if several else [under_key(item, webhook_id) for item in items]


def refused_item(index: int, item: Item) -> RefusedItem:
    """Return an item that is no valid message, as its outcome keeps it."""
    faults = item.update.faults if isinstance(item.update, InvalidMessage) else ()
    text = json.dumps(item.sent, ensure_ascii=False).encode(errors="replace").decode()
    return RefusedItem(index, faults, text[:MAX_MESSAGE_BYTES])


def refused_body(faults: tuple[Fault, ...], body: bytes) -> RefusedItem:
    """Return the whole body as the one refused item."""
    text = clean_text(body[:MAX_MESSAGE_BYTES])
    if text is None:
        return RefusedItem(0, faults, base64.b64encode(body[:MAX_MESSAGE_BYTES]).decode(), "base64")
    return RefusedItem(0, faults, text)


def from_source(name: str, item: Item) -> Item:
    """Return the item under the path's source, which wins over the body's."""
    return replace(item, update=item.update.having(source=name)) if isinstance(item.update, Update) else item
