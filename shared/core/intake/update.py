"""The update: one user's compliance status as a sender reports it.

A message is validated once, against its schema and a few rules about several members; all faults are reported together,
each with the JSON Pointer of the member to blame.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from shared.core.basics.strict_json import MAX_FAULTS, Fault, InvalidMessage, pointer
from shared.core.intake.update_schema import FORMATS, PROPERTIES, UPDATE_SCHEMA

_GUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GUIDS = re.compile(f"{_GUID}(?:_{_GUID})*")
_VALIDATOR = Draft202012Validator(
    dict(UPDATE_SCHEMA), validate_formats=True, formats={name: accepts for name, (accepts, _) in FORMATS.items()}
)
_MEMBER_VALIDATORS = {
    name: Draft202012Validator(
        dict(rule), validate_formats=True, formats={name: accepts for name, (accepts, _) in FORMATS.items()}
    )
    for name, rule in UPDATE_SCHEMA["properties"].items()
}
_MAX_NAME_LENGTH = 100


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
    def traceparent(self) -> str | None:
        """The sender's trace."""
        return self.message.get("traceparent")

    def properties(self) -> dict[str, str | int]:
        """The given ones of the five that Graph takes, in its order."""
        return {name: self.user_status[name] for name in PROPERTIES if name in self.user_status}

    def having(self, **members: Any) -> "Update":
        """The same with other members, by their wire names."""
        return replace(self, message={**self.message, **members})

    def fingerprint(self) -> str:
        """The payload's identity: two messages with one are the same update, whoever traces or repeats them."""
        payload = {name: self.message[name] for name in self.message if name not in _NO_PAYLOAD}
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


_NO_PAYLOAD = frozenset({"traceparent", "idempotencyKey", "source"})


def parse_update(document: object, *, at: str = "") -> Update | InvalidMessage:
    """An update, or all faults of the document; ``at`` is the pointer of the document in what was sent."""
    if not isinstance(document, dict):
        return InvalidMessage((Fault(at, "must be a JSON object"),))
    faults = [fault for error in _VALIDATOR.iter_errors(document) for fault in faults_of(error)]
    faults += _across(document)
    if not faults:
        return Update(document)
    told = list(dict.fromkeys(faults))[:MAX_FAULTS]
    return InvalidMessage(tuple(Fault(at + fault.pointer, fault.detail) for fault in told))


def accepts_member(name: str, value: object) -> bool:
    """Whether a message may hold this value in that member."""
    return _MEMBER_VALIDATORS[name].is_valid(value)


def user_status_key(policy_id: str, user_status_id: str) -> str:
    """What tells one user status from another; GUIDs are the same in either case, other ids are taken as they are."""
    same = user_status_id.lower() if _GUIDS.fullmatch(user_status_id) else user_status_id
    return hashlib.sha256(f"{policy_id.lower()}\n{same}".encode()).hexdigest()[:40]


def _across(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Rules that a schema cannot say, or says badly: told even when other members are wrong."""
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
    if isinstance(status.get("devicesCount"), float):  # 12.0 is an integer to JSON Schema, not to us
        yield Fault("/userStatus/devicesCount", "must be an integer")
    if isinstance(status.get("id"), str) and status["id"] != document.get("deviceComplianceUserStatusId"):
        yield Fault("/userStatus/id", "must equal deviceComplianceUserStatusId")


def faults_of(error: ValidationError) -> Iterator[Fault]:
    """A validation error against members of this schema, in plain words."""
    at, said = pointer(*error.instance_path), error.kind.as_dict()
    match error.kind.name:
        case "required":
            yield Fault(at + pointer(said["property"]), "is required")
        case "additionalProperties":
            for name in said["unexpected"]:
                short = name if len(name) <= _MAX_NAME_LENGTH else name[:_MAX_NAME_LENGTH] + "…"
                yield Fault(at + pointer(short), "is not a member of this message")
        case "anyOf" | "oneOf":  # said in plain words by the rules across members
            return
        case kind:
            yield Fault(at, _detail(kind, said, error))


def _detail(kind: str, said: Mapping[str, Any], error: ValidationError) -> str:
    if kind == "format":
        return FORMATS[said["format"]][1]
    if kind == "pattern":
        member: Any = UPDATE_SCHEMA["properties"][error.instance_path[-1]]
        return f"must be {member['x-accepts']}"
    if kind == "type":
        return f"must be {_TYPES[said['types'][0]]}"
    if kind == "enum":
        return f"must be one of {', '.join(said['options'])}"
    return _DETAILS[kind].format_map(said)


_TYPES = {"object": "a JSON object", "string": "a string", "integer": "an integer"}
_DETAILS = {
    "const": "must be {expected_value}",
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "minLength": "must have at least {limit} characters",
    "maxLength": "must have at most {limit} characters",
}
