"""The update: one user's compliance status as a sender reports it.

A message is validated once, against its schema and a few rules about several members; all faults are reported together,
each with the JSON Pointer of the member to blame.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.core.basics.guid import GUID
from shared.core.basics.json_schema import Validator
from shared.core.basics.strict_json import MAX_FAULTS, Fault, InvalidMessage
from shared.core.basics.timestamp import moment_of
from shared.core.basics.trace import read_traceparent
from shared.core.intake.update_schema import BULK, NORMAL, PROPERTIES, UPDATE_SCHEMA

_GUIDS = re.compile(f"{GUID}(?:_{GUID})*")
_SCHEMA = Validator(UPDATE_SCHEMA)
#: Added to the message's own members by the queue output of .NET functions and WebJobs.
_PARENT_ID = "$AzureWebJobsParentId"
#: What a sender most likely did who sent something else than an object.
_HINTS: Mapping[type, str] = {
    str: " (it is a string: a message that was serialized twice)",
    list: " (it is an array: several go to /api/updates/batch)",
}


@dataclass(frozen=True)
class Update:
    """A valid message; ``message`` is the wire's object, only with the members that were given.

    ``resolved`` is the user status that its principal name was found to mean, once and for all its attempts.
    """

    message: Mapping[str, Any]
    resolved: str | None = None

    @property
    def device_compliance_policy_id(self) -> str:
        """A GUID, as the sender wrote it."""
        return str(self.message["deviceCompliancePolicyId"])

    @property
    def device_compliance_user_status_id(self) -> str | None:
        """None while all that is known of the user is the principal name."""
        return self.message.get("deviceComplianceUserStatusId") or self.resolved

    @property
    def user_principal_name(self) -> str | None:
        """The top-level one, instead of the id."""
        return self.message.get("userPrincipalName")

    @property
    def user_status(self) -> Mapping[str, Any]:
        """As the sender wrote it."""
        status: Mapping[str, Any] = self.message["userStatus"]
        return status

    @property
    def last_reported(self) -> str | None:
        """When the sender's source reported it."""
        return self.user_status.get("lastReportedDateTime")

    @property
    def idempotency_key(self) -> str | None:
        """The sender's name for this update."""
        return self.message.get("idempotencyKey")

    @property
    def source(self) -> str | None:
        """Who sends; the scope of the idempotency key."""
        return self.message.get("source")

    @property
    def priority(self) -> str:
        """``normal`` or ``bulk``."""
        return str(self.message.get("priority", NORMAL))

    @property
    def bulk(self) -> bool:
        """Whether the update waits in the bulk lane."""
        return self.priority == BULK

    @property
    def expires(self) -> datetime | None:
        """From when on the update is not worth sending, in UTC; None where it never expires."""
        text = self.message.get("expiresDateTime")
        return None if text is None else moment_of(text)

    def has_expired(self, now: datetime) -> bool:
        """Return whether the update is not worth sending any more."""
        return self.expires is not None and self.expires <= now

    @property
    def traceparent(self) -> str | None:
        """The sender's trace."""
        return self.message.get("traceparent")

    def properties(self) -> dict[str, str | int]:
        """Return the given ones of the five properties that Graph takes, in its order."""
        return {name: self.user_status[name] for name in PROPERTIES if name in self.user_status}

    def having(self, **members: Any) -> "Update":
        """Return the same with other members, by their wire names."""
        return replace(self, message={**self.message, **members})

    def fingerprint(self) -> str:
        """Return the payload's identity: messages with the same are one update, however often they are sent."""
        payload = {name: self.message[name] for name in self.message if name not in _NO_PAYLOAD}
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


_NO_PAYLOAD = frozenset({"traceparent", "idempotencyKey", "source", "priority"})


def parse_update(document: object, *, at: str = "", now: datetime | None = None) -> Update | InvalidMessage:
    """Return an update, or all faults of the document; ``at`` is the document's pointer in what was sent.

    With ``now``, the moment of acceptance, one that has expired by then is a fault too.
    """
    if not isinstance(document, dict):
        return InvalidMessage((Fault(at, f"must be a JSON object{_HINTS.get(type(document), '')}"),))
    message = _without_courtesies(document)
    faults = list(dict.fromkeys([*_SCHEMA.faults(message), *_across(message), *_expiry(message, now)]))
    if not faults:
        return Update(message)
    return InvalidMessage(tuple(Fault(at + fault.pointer, fault.detail) for fault in faults[:MAX_FAULTS]))


def _expiry(document: Mapping[str, Any], now: datetime | None) -> Iterator[Fault]:
    text = document.get("expiresDateTime")
    expires = moment_of(text) if isinstance(text, str) else None
    if now is not None and expires is not None and expires <= now:
        yield Fault("/expiresDateTime", "is in the past")


def _without_courtesies(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without what the sender's platform added and no update needs.

    A ``traceparent`` that cannot be read is no fault of the message (W3C Trace Context, section 3.2.2).
    """
    ignored = {_PARENT_ID}
    if read_traceparent(document.get("traceparent")) is None:
        ignored.add("traceparent")
    return document if ignored.isdisjoint(document) else {n: v for n, v in document.items() if n not in ignored}


def user_status_key(policy_id: str, user_status_id: str) -> str:
    """Return the key of a user status. GUIDs are equal in either case, other ids are taken as they are."""
    same = user_status_id.lower() if _GUIDS.fullmatch(user_status_id) else user_status_id
    return hashlib.sha256(f"{policy_id.lower()}\n{same}".encode()).hexdigest()[:40]


def _across(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the faults of rules about several members, which a schema states badly or not at all."""
    by_id, by_name = "deviceComplianceUserStatusId" in document, "userPrincipalName" in document
    if not by_id and not by_name:
        yield Fault("/deviceComplianceUserStatusId", "is required, or a top-level userPrincipalName instead")
    if by_id and by_name:
        yield Fault("/userPrincipalName", "must not come together with deviceComplianceUserStatusId")
    status = document.get("userStatus")
    if not isinstance(status, dict):
        return
    if not status.keys() & set(PROPERTIES):
        yield Fault("/userStatus", f"must hold at least one of {', '.join(PROPERTIES)}")
    if isinstance(status.get("devicesCount"), float):  # 12.0 is an integer to JSON Schema, but not to Graph
        yield Fault("/userStatus/devicesCount", "must be an integer")
    if isinstance(status.get("id"), str) and status["id"] != document.get("deviceComplianceUserStatusId"):
        yield Fault("/userStatus/id", "must equal deviceComplianceUserStatusId")
