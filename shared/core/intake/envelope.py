"""What travels on the queue: our envelope, a foreign message, or something that nobody can read."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.core.basics.strict_json import Fault, InvalidMessage, pointer, read_json
from shared.core.basics.timestamp import format_milliseconds
from shared.core.basics.trace import read_traceparent
from shared.core.basics.update_id import accepted_at, derived_update_id, is_update_id
from shared.core.basics.version import Version, version_of
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.queue_text import clean_text, decoded, mistake_in
from shared.core.intake.update import Update, parse_update, user_status_key
from shared.core.intake.update_schema import BULK, UPDATE_SCHEMA

_RELAY = 1
_MAX_INSTANT_DIGITS = 20
_MEMBERS = frozenset(
    {"relay", "id", "attempt", "acceptedDateTime", "update"}
    | {"submittedBy", "replayOf", "version", "poisoned", "traceparent"}
)


@dataclass(frozen=True)
class Envelope:
    """An accepted update on its way; ``poisoned`` counts its returns from the poison queue.

    ``unknown`` holds the members that a newer version wrote and this one does not know: its later messages keep them.
    """

    id: str
    attempt: int
    update: Update
    submitted_by: str | None = None
    replay_of: str | None = None
    version: Version | None = None
    poisoned: int = 0
    traceparent: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> datetime:
        """Return the acceptance time, which the id carries."""
        return accepted_at(self.id)

    @property
    def ordering(self) -> Version:
        """Return the version of its values; a replay keeps its original's."""
        return self.version or version_of(self.update.last_reported, self.id)

    @property
    def user_status_key(self) -> str:
        """Return the key of its user status, under which the row and the acceptances are stored."""
        update = self.update
        return user_status_key(update.device_compliance_policy_id, str(update.device_compliance_user_status_id))

    @property
    def trace(self) -> str | None:
        """Return the trace context of the update's turns: its own, else the sender's."""
        return self.traceparent or read_traceparent(self.update.traceparent)

    def to_json(self) -> str:
        """Return the queue message."""
        members: dict[str, Any] = {
            **self.unknown,
            "relay": _RELAY,
            "id": self.id,
            "attempt": self.attempt,
            "acceptedDateTime": format_milliseconds(self.accepted),
            "update": self.update.message,
        }
        rest = {
            "submittedBy": self.submitted_by,
            "replayOf": self.replay_of,
            "version": self.version and self.version.to_text(),
            "poisoned": self.poisoned or None,
            "traceparent": self.traceparent,
        }
        members |= {name: value for name, value in rest.items() if value is not None}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

    def following(self, traceparent: str | None) -> "Envelope":
        """Return the same with this trace context, unless it has one already."""
        return replace(self, traceparent=self.trace or traceparent)

    def next_attempt(self) -> "Envelope":
        """Return the message of the next try."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True)
class Received:
    """A readable message; ``foreign`` when someone else than this app put it on the queue."""

    envelope: Envelope
    foreign: bool = False


@dataclass(frozen=True)
class Unreadable:
    """A message that is not an update, kept whole: as text, or as base64 where text would not survive."""

    id: str
    faults: tuple[Fault, ...]
    raw_message: str
    raw_message_encoding: str | None


def read_queue_message(
    body: bytes, *, message_id: str, inserted: datetime, bulk: bool = False
) -> Received | Unreadable:
    """Return the update of plain or base64 JSON; never raise.

    A foreign message's id is the same whenever it is read, and another one for other bytes. With ``bulk``, on the bulk
    lane's queue, its update is bulk whatever it says.
    """
    derived = derived_update_id(inserted, f"{message_id}\n{hashlib.sha256(body).hexdigest()}")
    parsed = read_json(decoded(body))
    if isinstance(parsed, InvalidMessage):
        return _unreadable(derived, parsed, body)
    return read_document(parsed.value, body, derived, bulk=bulk)


def read_document(document: Any, body: bytes, derived: str, *, bulk: bool) -> Received | Unreadable:
    """Return the update of a message's JSON; ``derived`` is its id where the message brings none."""
    if isinstance(document, dict) and "relay" in document:
        envelope = _open(document)
        if isinstance(envelope, InvalidMessage):
            own = document.get("id")
            return _unreadable(own if isinstance(own, str) and is_update_id(own) else derived, envelope, body)
        return Received(envelope)
    update = parse_message(document)
    if isinstance(update, InvalidMessage):
        return _unreadable(derived, update, body)
    return Received(Envelope(derived, 1, update.having(priority=BULK) if bulk else update), foreign=True)


def _open(document: dict[str, Any]) -> Envelope | InvalidMessage:
    faults = [Fault(pointer(name), detail) for name, (accepts, detail) in _RULES.items() if not accepts(document)]
    update = parse_accepted(document.get("update"), at="/update")
    if isinstance(update, InvalidMessage):
        return InvalidMessage((*faults, *update.faults))
    if faults:
        return InvalidMessage(tuple(faults))
    version = document.get("version")
    return Envelope(
        id=document["id"],
        attempt=document["attempt"],
        update=update,
        submitted_by=document.get("submittedBy"),
        replay_of=document.get("replayOf"),
        version=Version.from_text(version) if version else None,
        poisoned=document.get("poisoned", 0),
        traceparent=read_traceparent(document.get("traceparent")),
        unknown={name: value for name, value in document.items() if name not in _MEMBERS},
    )


def parse_accepted(document: object, *, at: str = "") -> Update | InvalidMessage:
    """Read a message that some version of this app has accepted; ``at`` is its pointer in what holds it.

    Members that this version does not know are kept and not looked at: a newer version runs beside this one during an
    upgrade and before a rollback.
    """
    known = parse_update(_known_members(document, UPDATE_SCHEMA), at=at)
    return Update(document) if isinstance(known, Update) and isinstance(document, dict) else known


def _known_members(document: object, schema: Mapping[str, Any]) -> object:
    rules = schema.get("properties")
    if not isinstance(document, dict) or rules is None:
        return document
    return {name: _known_members(value, rules[name]) for name, value in document.items() if name in rules}


def _is_id(value: object) -> bool:
    return isinstance(value, str) and is_update_id(value)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_version(value: object) -> bool:
    if not isinstance(value, str):
        return False
    instant, bar, update_id = value.partition("|")
    return (
        bool(bar)
        and instant.isascii()
        and instant.isdigit()
        and len(instant) < _MAX_INSTANT_DIGITS
        and is_update_id(update_id)
    )


_RULES: Mapping[str, tuple[Callable[[Mapping[str, Any]], bool], str]] = {
    "relay": (lambda it: type(it["relay"]) is int and it["relay"] == _RELAY, "must be 1"),
    "id": (lambda it: _is_id(it.get("id")), "must be a UUIDv7 in lower case"),
    "attempt": (lambda it: _is_count(it.get("attempt")) and it["attempt"] > 0, "must be an integer from 1"),
    "acceptedDateTime": (lambda it: isinstance(it.get("acceptedDateTime", ""), str), "must be a string"),
    "submittedBy": (lambda it: isinstance(it.get("submittedBy", ""), str), "must be a string"),
    "replayOf": (lambda it: "replayOf" not in it or _is_id(it["replayOf"]), "must be a UUIDv7 in lower case"),
    "version": (lambda it: "version" not in it or _is_version(it["version"]), "must be a version"),
    "poisoned": (lambda it: _is_count(it.get("poisoned", 0)), "must be an integer from 0"),
}


def _unreadable(update_id: str, invalid: InvalidMessage, body: bytes) -> Unreadable:
    mistake = mistake_in(body)
    if mistake is not None:
        return Unreadable(update_id, (Fault("", mistake.detail),), mistake.text, None)
    return Unreadable(update_id, invalid.faults, *raw_message(body))


def raw_message(body: bytes) -> tuple[str, str | None]:
    """Return a queue message as text and its encoding: None for the text itself, else ``base64``.

    Where the message is base64 of text, the text is what that holds.
    """
    text = clean_text(decoded(body)) or clean_text(body)
    return (text, None) if text else (base64.b64encode(body).decode(), "base64")
