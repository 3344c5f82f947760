"""A message as the queue trigger binds it: its text or bytes, and the metadata beside it."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from azure.storage.queue import QueueMessage

from emulator.protos import TypedData


class UndecodableError(Exception):
    """The message is not what ``messageEncoding`` says: the host never calls the function with it."""


def content(message: QueueMessage, *, encoded: bool) -> bytes:
    """Return the bytes of a message; base64 may have white space in it.

    Raises ``UndecodableError`` for what is no base64, or no UTF-8.
    """
    text = message.content or ""
    try:
        whole = base64.b64decode("".join(text.split()), validate=True) if encoded else text.encode()
        whole.decode()
    except (binascii.Error, ValueError) as error:
        raise UndecodableError from error
    return whole


def data(whole: bytes, *, binary: bool) -> TypedData:
    """Return what the function's argument is made of."""
    return TypedData(bytes=whole) if binary else TypedData(string=whole.decode())


def metadata(message: QueueMessage, whole: bytes, *, binary: bool) -> dict[str, TypedData]:
    """Return the trigger's metadata.

    Unless the binding is binary, the members of a JSON object overwrite it (docs/graph-facts.md#f90): by name in any
    case, simple values alone, as text.
    """
    own = {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": TypedData(json=_moment(message.inserted_on)),
        "ExpirationTime": TypedData(json=_moment(message.expires_on)),
        "NextVisibleTime": TypedData(json=_moment(message.next_visible_on)),
    }
    if binary:
        return own
    names = {name.lower(): name for name in own}
    given = {names.get(name.lower(), name): TypedData(string=_text(value)) for name, value in _members(whole)}
    return own | given


def _members(whole: bytes) -> list[tuple[str, Any]]:
    try:
        parsed = json.loads(whole)
    except ValueError:
        return []
    members = parsed.items() if isinstance(parsed, dict) else ()
    return [(name, value) for name, value in members if isinstance(value, str | int | float)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _moment(moment: datetime | None) -> str:
    return json.dumps(moment.isoformat() if moment else None)
