"""Bundles: one queue message of the bulk lane that carries as many updates as fit, each in its own envelope."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.core.basics.strict_json import InvalidMessage, read_json
from shared.core.basics.update_id import derived_update_id
from shared.core.intake.envelope import Envelope, Received, Unreadable, read_document
from shared.core.intake.queue_text import decoded

#: Bytes of a bundle: in base64 it still fits a queue message of 64 KiB.
MAX_BUNDLE_BYTES = 48 * 1024
_HEAD, _TAIL = '{"relay":1,"bundle":[', "]}"
#: A trace context that an envelope gets after it was packed.
_TRACE_BYTES = 80
#: A batch becomes at least so many messages, unless they would hold fewer items than this.
_MESSAGES, _MIN_ITEMS = 8, 16


@dataclass(frozen=True)
class Bundle:
    """The items of a bundle, in order of acceptance; one that cannot be read does not touch the others."""

    items: tuple[Received | Unreadable, ...]


def packed(envelopes: Sequence[Envelope]) -> Iterator[tuple[Envelope, ...]]:
    """Yield the envelopes in order, as many together as fit in a bundle; one that nearly fills a message is alone.

    A small batch makes several messages all the same: so several turns work on it.
    """
    some: list[Envelope] = []
    most = max(_MIN_ITEMS, -(-len(envelopes) // _MESSAGES))
    used = len(_HEAD) + len(_TAIL)
    for envelope in envelopes:
        size = len(envelope.to_json().encode()) + 1 + _TRACE_BYTES
        if some and (used + size > MAX_BUNDLE_BYTES or len(some) == most):
            yield tuple(some)
            some, used = [], len(_HEAD) + len(_TAIL)
        some.append(envelope)
        used += size
    if some:
        yield tuple(some)


def bundle_text(envelopes: Sequence[Envelope]) -> str:
    """Return the queue message of one bundle; that of a single update is its envelope."""
    if len(envelopes) == 1:
        return envelopes[0].to_json()
    return _HEAD + ",".join(envelope.to_json() for envelope in envelopes) + _TAIL


def read_bundle(body: bytes, *, message_id: str, inserted: datetime) -> Bundle | None:
    """Return the items of a bundle, plain or base64, by this version or another; None where the message is none."""
    content = decoded(body)
    if b'"bundle"' not in content:
        return None
    parsed = read_json(content)
    document = None if isinstance(parsed, InvalidMessage) else parsed.value
    items = document.get("bundle") if isinstance(document, dict) and "relay" in document else None
    if not isinstance(items, list):
        return None

    def read(item: object) -> Received | Unreadable:
        raw = json.dumps(item, ensure_ascii=False).encode(errors="replace")
        derived = derived_update_id(inserted, f"{message_id}\n{hashlib.sha256(raw).hexdigest()}")
        return read_document(item, raw, derived, bulk=True)

    return Bundle(tuple(read(item) for item in items))
