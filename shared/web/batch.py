"""Many messages in one request, a batch or a webhook's; each gets a verdict."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.json_schema import Validator
from shared.core.basics.strict_json import Fault, InvalidMessage, pointer
from shared.core.basics.trace import Origin
from shared.core.delivery.outcome import error_object
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.limits import MAX_BATCH_BYTES, MAX_KEY_LENGTH, MAX_UPDATES
from shared.core.intake.update import Update
from shared.core.intake.update_schema import BULK, PRIORITIES
from shared.service.intake.accept import Accept, Accepted, AcceptResult, NotQueued
from shared.service.intake.idempotency import KeyConflict
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Unavailable
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import BODY_FAULTS, KEY, as_json, body, operation
from shared.web.openapi.schemas import EXAMPLE, Schema, object_of, ref
from shared.web.request import idempotency_key, json_body, origin_of
from shared.web.response import Problem, json_response
from shared.web.waiting import Waiting

NOTHING_KEPT: Final[Mapping[int, str]] = MappingProxyType({})
_NOT_VALID = "The message is not valid; see errors."
_BATCH = Validator(
    {
        "type": "object",
        "properties": {
            "updates": {"type": "array", "minItems": 1},
            "priority": {"type": "string", "enum": PRIORITIES},
        },
        "required": ["updates"],
        "additionalProperties": False,
    },
    unknown="is not a member of a batch",
)


@dataclass(frozen=True)
class Item:
    """One message of a request: an update or its faults.

    ``at`` is its pointer in the request's body, ``sent`` its JSON as it came.
    """

    at: str
    update: Update | InvalidMessage
    sent: Any = None

    def in_lane(self, priority: str) -> "Item":
        """Return the item with this priority, unless its message says another."""
        if isinstance(self.update, InvalidMessage) or "priority" in self.update.message:
            return self
        return replace(self, update=self.update.having(priority=priority))


@dataclass(frozen=True)
class BatchApi:
    """``POST /api/updates/batch``."""

    accept: Accept
    callers: Callers
    waiting: Waiting
    clock: Clock

    @endpoint
    def post_batch(self, request: func.HttpRequest, *, invocation: str | None = None) -> func.HttpResponse:
        """Accept many updates.

        The valid ones are accepted even where others are not; each gets a verdict, in order. 400 where none is valid.
        Items are bulk unless they or the batch say otherwise.
        """
        return self.waiting.finish_in_time(lambda: self._accepted(request, invocation))

    def _accepted(self, request: func.HttpRequest, invocation: str | None) -> func.HttpResponse:
        now, document = self.clock.now(), json_body(request, MAX_BATCH_BYTES)
        items = [Item(at, parse_message(message, now=now)) for at, message in messages_of(document)]
        items = [item.in_lane(document.get("priority", BULK)) for item in items]
        items = with_keys(items, idempotency_key(request))
        by, origin = self.callers.principal(request), origin_of(request, invocation)
        return accepted(self.accept, items, submitted_by=by, origin=origin)


def messages_of(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield the messages of ``{"updates": [...]}`` with their pointers. Raise a problem where it is not that."""
    faults = tuple(_BATCH.faults(document))
    if faults:
        raise _refused(*faults)
    yield from bounded("/updates", document["updates"])


def bounded(at: str, messages: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield an array's messages with their pointers. Raise a problem where there are more than a request may hold."""
    if len(messages) > MAX_UPDATES:
        raise _refused(Fault(at, f"must hold at most {MAX_UPDATES} updates"))
    for index, message in enumerate(messages):
        yield at + pointer(index), message


def with_keys(items: Sequence[Item], key: str | None) -> list[Item]:
    """Return the items, those without a key under the request's: ``{key}/{index}``."""
    return [under_key(item, f"{key}/{index}" if key else None) for index, item in enumerate(items)]


def under_key(item: Item, key: str | None) -> Item:
    """Return the item under this key, unless it brings one."""
    return replace(item, update=_under(item.update, key))


def accepted(
    accept: Accept,
    items: Sequence[Item],
    *,
    submitted_by: str | None,
    origin: Origin,
    kept: Mapping[int, str] = NOTHING_KEPT,
) -> func.HttpResponse:
    """Accept the valid items; ``kept`` are the ids of the others' outcomes, by index.

    202 with a verdict for each item. Raise a problem with all faults where none was accepted, and ``Unavailable`` where
    storage is to blame for that.
    """
    valid = {index: item.update for index, item in enumerate(items) if isinstance(item.update, Update)}
    verdicts = dict(zip(valid, accept.all(list(valid.values()), submitted_by=submitted_by, origin=origin), strict=True))
    if items and not any(isinstance(verdict, Accepted) for verdict in verdicts.values()):
        if any(isinstance(verdict, NotQueued) for verdict in verdicts.values()):
            raise Unavailable("queue")
        faults = [fault for index, item in enumerate(items) for fault in _faults(item, verdicts.get(index))]
        raise Problem("invalidMessage", "No message is valid; see errors.", faults)
    value = [
        {"index": index, **({"id": kept[index]} if index in kept else {}), **_verdict(item, verdicts.get(index))}
        for index, item in enumerate(items)
    ]
    return json_response(202, {"value": value})


def _under(update: Update | InvalidMessage, key: str | None) -> Update | InvalidMessage:
    if key is None or isinstance(update, InvalidMessage) or update.idempotency_key is not None:
        return update
    fits = len(key) <= MAX_KEY_LENGTH and key.isprintable()
    return update.having(idempotencyKey=key if fits else hashlib.sha256(key.encode()).hexdigest())


def _verdict(item: Item, verdict: AcceptResult | None) -> dict[str, Any]:
    match verdict:
        case Accepted(outcome):
            return {"id": outcome.id, "status": outcome.state.status}
        case KeyConflict():
            error = error_object("idempotencyKeyConflict", "The idempotency key was used with another payload.")
        case NotQueued():
            error = error_object("storageUnavailable", "The relay cannot reach its storage: send it again.")
        case None:
            faults = item.update.faults if isinstance(item.update, InvalidMessage) else ()
            error = error_object("invalidMessage", _NOT_VALID, faults)
    return {"error": error}


def _faults(item: Item, verdict: AcceptResult | None) -> list[Fault]:
    if isinstance(item.update, InvalidMessage):
        return [Fault(item.at + fault.pointer, fault.detail) for fault in item.update.faults]
    return [Fault(item.at + "/idempotencyKey", "belongs to another payload")] if verdict else []


def _refused(*faults: Fault) -> Problem:
    return Problem("invalidMessage", _NOT_VALID, faults)


SCHEMAS: Final[Schema] = {
    "Batch": object_of(
        {
            "updates": {"type": "array", "items": ref("Update"), "minItems": 1, "maxItems": MAX_UPDATES},
            "priority": {
                "type": "string",
                "enum": list(PRIORITIES),
                "default": BULK,
                "description": "The lane of those items that do not name one.",
            },
        },
        optional=("priority",),
        additionalProperties=False,
    ),
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/updates/batch": {
        "post": operation(
            BatchApi.post_batch,
            "Updates",
            {202: as_json(ref("Verdicts"), "A verdict for each, in order.")},
            *BODY_FAULTS,
            parameters=[KEY],
            requestBody=body(ref("Batch"), {"one": {"updates": [EXAMPLE]}}),
        ),
    },
}
