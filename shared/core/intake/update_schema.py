"""The update message as JSON Schema 2020-12: what validates messages is what the OpenAPI document shows."""

from collections.abc import Mapping
from typing import Any, Final

from shared.core.basics.formats import FORMATS, formatted
from shared.core.basics.guid import GUID, is_guid
from shared.core.intake.limits import MAX_KEY_LENGTH

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
POLICY_ID_SCHEMA: Final[Mapping[str, Any]] = {"type": "string", "pattern": f"^{GUID}$", "x-accepts": "a GUID"}
USER_STATUS_ID_SCHEMA: Final[Mapping[str, Any]] = formatted("user-status-id")
SOURCE_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9._-]{1,64}$",
    "x-accepts": "1 to 64 of A-Z a-z 0-9 . _ -",
}
KEY_SCHEMA: Final[Mapping[str, Any]] = formatted("printable", minLength=1, maxLength=MAX_KEY_LENGTH)
#: The lanes of the quota.
NORMAL, BULK = PRIORITIES = ("normal", "bulk")
#: A principal name as a value: what Graph shows, not looked up.
PRINCIPAL_NAME_SCHEMA: Final[Mapping[str, Any]] = formatted("no-control-characters", minLength=1, maxLength=1024)
USER_STATUS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": f"The properties to write, at least one of {', '.join(PROPERTIES)}; only those given are sent.",
    "properties": {
        "@odata.type": {"type": "string", "const": ODATA_TYPE},
        "id": {"type": "string", "description": "Equal to deviceComplianceUserStatusId; not sent."},
        "userDisplayName": formatted("no-control-characters", maxLength=256),
        "devicesCount": {"type": "integer", "minimum": 0, "maximum": 2_147_483_647},
        "status": {"type": "string", "enum": list(COMPLIANCE_STATUSES)},
        "lastReportedDateTime": formatted(
            "date-time-100ns",
            description="RFC 3339 with Z or an offset of at most 14:00, up to 7 fraction digits, no leap second. It is "
            'passed on character for character. A time in the year 1 ("never reported") orders by acceptance.',
        ),
        "userPrincipalName": PRINCIPAL_NAME_SCHEMA,
    },
    "minProperties": 1,
    "additionalProperties": False,
}
#: The members that a message may have. That it names its user in one way, by id or by name, is checked beside it.
UPDATE_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "deviceCompliancePolicyId": POLICY_ID_SCHEMA,
        "deviceComplianceUserStatusId": USER_STATUS_ID_SCHEMA,
        "userPrincipalName": formatted(
            "directory-name",
            minLength=1,
            maxLength=1024,
            description="Instead of deviceComplianceUserStatusId: looked up at the update's turn, in either case, "
            "among the policy's user statuses.",
        ),
        "userStatus": USER_STATUS_SCHEMA,
        "idempotencyKey": KEY_SCHEMA,
        "source": SOURCE_SCHEMA,
        "priority": {
            "type": "string",
            "enum": list(PRIORITIES),
            "description": "Which lane of the quota: normal updates overtake bulk ones.",
        },
        "expiresDateTime": formatted(
            "date-time-100ns",
            description="An update that was not sent before this time fails with `expired`. RFC 3339, in the future.",
        ),
        "traceparent": {"type": "string", "description": "W3C Trace Context; one that cannot be read is left out."},
    },
    "required": ["deviceCompliancePolicyId", "userStatus"],
    "additionalProperties": False,
}


def is_policy_id(text: str) -> bool:
    """Return whether a message could name a policy by this text."""
    return is_guid(text)


def is_user_status_id(text: str) -> bool:
    """Return whether a message could name a user status by this text."""
    return FORMATS["user-status-id"].accepts(text)
