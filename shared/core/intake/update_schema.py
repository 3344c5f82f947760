"""The update message as JSON Schema 2020-12: what validates is what the OpenAPI document shows."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.core.basics.timestamp import ticks

#: Graph's type, which the PATCH body names (docs/graph-facts.md#f19).
ODATA_TYPE: Final = "#microsoft.graph.deviceComplianceUserStatus"
#: Graph's complianceStatus (docs/graph-facts.md#f17), exact case.
COMPLIANCE_STATUSES: Final = (
    "unknown",
    "notApplicable",
    "compliant",
    "remediated",
    "nonCompliant",
    "error",
    "conflict",
    "notAssigned",
)
#: deviceComplianceUserStatus without its key (docs/graph-facts.md#f16), in its documented order.
PROPERTIES: Final = ("userDisplayName", "devicesCount", "status", "lastReportedDateTime", "userPrincipalName")
_GUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_USER_STATUS_ID = r"[A-Za-z0-9\-_.~@:]{1,256}"
_DOTS = (".", "..")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_PRINCIPAL_NAME = {"type": "string", "minLength": 1, "maxLength": 1024, "format": "no-control-characters"}
USER_STATUS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "The properties to write: at least one; only those given are sent.",
    "properties": {
        "@odata.type": {"const": ODATA_TYPE},
        "id": {"type": "string", "description": "Equal to deviceComplianceUserStatusId; not sent."},
        "userDisplayName": {"type": "string", "maxLength": 256, "format": "no-control-characters"},
        "devicesCount": {"type": "integer", "minimum": 0, "maximum": 2_147_483_647},
        "status": {"enum": list(COMPLIANCE_STATUSES)},
        "lastReportedDateTime": {
            "type": "string",
            "format": "date-time-100ns",
            "description": "RFC 3339 with an offset or Z, up to 7 fraction digits; passed on character for character.",
        },
        "userPrincipalName": _PRINCIPAL_NAME,
    },
    "anyOf": [{"required": [name]} for name in PROPERTIES],
    "additionalProperties": False,
}
UPDATE_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "deviceCompliancePolicyId": {"type": "string", "pattern": f"^{_GUID}$", "x-accepts": "a GUID"},
        "deviceComplianceUserStatusId": {
            "type": "string",
            "pattern": f"^{_USER_STATUS_ID}$",
            "format": "not-dots",
            "x-accepts": "1 to 256 of A-Z a-z 0-9 - _ . ~ @ :",
        },
        "userPrincipalName": _PRINCIPAL_NAME
        | {
            "description": "Instead of deviceComplianceUserStatusId: resolved at the update's turn to the one user "
            "status of the policy that has this name, in either case."
        },
        "userStatus": USER_STATUS_SCHEMA,
        "idempotencyKey": {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable"},
        "source": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "x-accepts": "1 to 64 of A-Z a-z 0-9 . _ -"},
        "traceparent": {"type": "string", "format": "traceparent", "description": "W3C Trace Context, version 00."},
    },
    "required": ["deviceCompliancePolicyId", "userStatus"],
    "oneOf": [{"required": ["deviceComplianceUserStatusId"]}, {"required": ["userPrincipalName"]}],
    "additionalProperties": False,
}


def is_policy_id(text: str) -> bool:
    """Whether a message could name a policy by it."""
    return re.fullmatch(_GUID, text) is not None


def is_user_status_id(text: str) -> bool:
    """Whether a message could name a user status by it."""
    return re.fullmatch(_USER_STATUS_ID, text) is not None and text not in _DOTS


def _no_control(text: str) -> bool:
    return not any(unicodedata.category(character) == "Cc" for character in text)


#: What each format accepts, and how that is said.
FORMATS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "no-control-characters": (_no_control, "must not hold control characters"),
    "not-dots": (lambda text: text not in _DOTS, "must not be . or .."),
    "date-time-100ns": (
        lambda text: ticks(text) is not None,
        "must be an RFC 3339 date-time with an offset or Z and up to 7 fraction digits, and exist in the calendar",
    ),
    "printable": (str.isprintable, "must be printable characters"),
    "traceparent": (lambda text: _TRACEPARENT.fullmatch(text) is not None, "must be a W3C traceparent of version 00"),
}
