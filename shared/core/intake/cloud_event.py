"""CloudEvents and Event Grid events around a message: unwrapped, their identity becomes the idempotency key."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.basics.strict_json import Fault, InvalidMessage, Parsed, pointer, read_json
from shared.core.basics.trace import read_traceparent
from shared.core.intake.update import Update, parse_update


@dataclass(frozen=True)
class Unwrapped:
    """The message inside, where it was (``at``), and what the event says about it."""

    document: object
    at: str = ""
    idempotency_key: str | None = None
    traceparent: str | None = None


def unwrap(document: object) -> Unwrapped | InvalidMessage:
    """Return the data of a CloudEvent 1.0 in structured JSON or of an Event Grid event; all else as it is.

    Event Grid sends both to Storage queues (docs/graph-facts.md#f53).
    """
    if not isinstance(document, dict):
        return Unwrapped(document)
    if "specversion" in document:
        return _event(document, ("id", "source", "type"), "source")
    if "eventType" in document and "data" in document:
        return _event(document, ("id", "eventType"), "topic")
    return Unwrapped(document)


def parse_message(
    document: object, *, idempotency_key: str | None = None, now: datetime | None = None
) -> Update | InvalidMessage:
    """Return the update of a message, wrapped in an event or not; a key given with it comes before the event's.

    With ``now``, a message that has expired by then is a fault.
    """
    unwrapped = unwrap(document)
    if isinstance(unwrapped, InvalidMessage):
        return unwrapped
    update = parse_update(unwrapped.document, at=unwrapped.at, now=now)
    if isinstance(update, InvalidMessage):
        return update
    given = {"idempotencyKey": idempotency_key or unwrapped.idempotency_key, "traceparent": unwrapped.traceparent}
    lacking = {name: text for name, text in given.items() if text is not None and name not in update.message}
    return update.having(**lacking) if lacking else update


def _event(event: dict[str, Any], required: tuple[str, ...], source: str) -> Unwrapped | InvalidMessage:
    faults = [
        Fault(pointer(name), "must be a non-empty string")
        for name in required
        if not isinstance(event.get(name), str) or not event[name]
    ]
    if "specversion" in event and event["specversion"] != "1.0":
        faults.append(Fault("/specversion", "must be 1.0"))
    data = _data(event)
    if isinstance(data, Fault):
        faults.append(data)
    if faults or isinstance(data, Fault):
        return InvalidMessage(tuple(faults))
    identity = f"{event.get(source) or ''}\n{event['id']}"
    key = hashlib.sha256(identity.encode()).hexdigest()
    return Unwrapped(data.value, "/data", key, read_traceparent(event.get("traceparent")))


def _data(event: dict[str, Any]) -> Parsed | Fault:
    if "data_base64" in event:
        return _encoded(event["data_base64"])
    if "data" not in event:
        return Fault("/data", "is required")
    data = event["data"]
    if not isinstance(data, str):
        return Parsed(data)
    inner = read_json(data)
    return inner if isinstance(inner, Parsed) else Fault("/data", inner.faults[0].detail)


def _encoded(text: object) -> Parsed | Fault:
    try:
        inner = read_json(base64.b64decode(str(text), validate=True))
    except (binascii.Error, ValueError):
        return Fault("/data_base64", "must be base64")
    return inner if isinstance(inner, Parsed) else Fault("/data_base64", inner.faults[0].detail)
