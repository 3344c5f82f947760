"""The messages that a webhook source would make of a payload, each member with the value found. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.basics.strict_json import Fault, InvalidMessage
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.message_map import MessageMap
from shared.core.intake.webhook_source import WebhookSource


@dataclass(frozen=True)
class TrialMessage:
    """A message; ``members`` are what the map's expressions found: a value, None for null, or a fault.

    ``message`` is None where an expression failed. ``faults`` are all reasons why a relay would refuse it.
    """

    members: tuple[tuple[str, Any], ...]
    message: Mapping[str, Any] | None
    faults: tuple[Fault, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the message as JSON."""
        members = [{"name": name, "value": value} for name, value in self.members if not isinstance(value, Fault)]
        errors = [{"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults]
        return {"valid": not self.faults, "members": members, "message": self.message, "errors": errors}


def try_payload(source: WebhookSource, body: Any) -> list[TrialMessage] | InvalidMessage:
    """Return the messages of a request's body, or the faults of the body as a whole."""
    if source.map is None:
        return [_parsed((), message) for message in _messages(body)]
    events = source.map.events(body)
    if isinstance(events, InvalidMessage):
        return events
    return [_mapped(source.map, event, body) for event in events]


def _mapped(message_map: MessageMap, event: Any, body: Any) -> TrialMessage:
    members, message = tuple(message_map.values(event, body)), message_map.message(event, body)
    if isinstance(message, InvalidMessage):
        return TrialMessage(members, None, message.faults)
    return _parsed(members, message)


def _messages(body: Any) -> list[Any]:
    """Return the messages of a body without a map: an array, ``updates``, or one message."""
    if isinstance(body, dict) and body.keys() == {"updates"} and isinstance(body["updates"], list):
        return list(body["updates"])
    return body if isinstance(body, list) else [body]


def _parsed(members: tuple[tuple[str, Any], ...], message: Any) -> TrialMessage:
    update = parse_message(message)
    if isinstance(update, InvalidMessage):
        return TrialMessage(members, message, update.faults)
    return TrialMessage(members, update.message)
