"""The JSON shapes of the API as JSON Schema 2020-12, for the OpenAPI document; messages by what validates them.

A message names its user by id or by name: two whole objects, since generators cannot choose between ``required`` lists.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.core.delivery.outcome_filter import STATUS_DETAILS, STATUSES
from shared.core.intake.limits import MAX_REPLAYS
from shared.core.intake.update_schema import (
    POLICY_ID_SCHEMA,
    PRIORITIES,
    PROPERTIES,
    UPDATE_SCHEMA,
    USER_STATUS_ID_SCHEMA,
    USER_STATUS_SCHEMA,
)
from shared.web.query import REPLAY_SCHEMA
from shared.web.response import PROBLEM_URN, PROBLEMS

type Schema = Mapping[str, Any]

EXAMPLE: Final[Schema] = {
    "deviceCompliancePolicyId": "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "deviceComplianceUserStatusId": "a0b566cd-66cd-a0b5-cd66-b5a0cd66b5a0",
    "userStatus": {
        "userDisplayName": "User Display Name value",
        "devicesCount": 12,
        "status": "notApplicable",
        "lastReportedDateTime": "2017-01-01T00:00:17.7769392-08:00",
        "userPrincipalName": "User Principal Name value",
    },
}
#: The two ids that name a user status.
IDS: Final[Schema] = {
    "deviceCompliancePolicyId": POLICY_ID_SCHEMA,
    "deviceComplianceUserStatusId": USER_STATUS_ID_SCHEMA,
}
IDS_EXAMPLE: Final[Schema] = {name: EXAMPLE[name] for name in IDS}
EXAMPLE_BY_NAME: Final[Schema] = {
    "deviceCompliancePolicyId": EXAMPLE["deviceCompliancePolicyId"],
    "userPrincipalName": "a.user@contoso.example",
    "userStatus": {"status": "compliant"},
}
DATE_TIME: Schema = {"type": "string", "format": "date-time"}
URL: Schema = {"type": "string", "format": "uri"}
COUNT: Schema = {"type": "integer", "minimum": 0}
_STATUS: Schema = {"type": "string", "enum": STATUSES}
_OK_OR_FAILING: Schema = {"type": "string", "enum": ["ok", "failing"]}
UPDATE_ID: Schema = {"type": "string", "format": "uuid", "description": "A UUIDv7; its time is the acceptance time."}
COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}


def ref(name: str) -> Schema:
    """Return a reference to one of these schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    choice = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **choice, "type": [schema["type"], "null"]}


def object_of(properties: Schema, *, optional: tuple[str, ...] = (), **rest: Any) -> Schema:
    """Return the schema of an object; members that are not ``optional`` are required."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **rest}


def page_of(item: str) -> Schema:
    """Return the schema of a list's page; the last one has no ``nextLink``."""
    return object_of({"value": {"type": "array", "items": ref(item)}, "nextLink": URL}, optional=("nextLink",))


_STRING: Schema = {"type": "string"}
_SUPPORT_IDS = ("requestId", "clientRequestId", "activityId")
_LISTED = {
    "id": UPDATE_ID,
    "status": _STATUS,
    "statusDetail": nullable({"type": "string", "enum": STATUS_DETAILS}),
    "deviceCompliancePolicyId": nullable(_STRING),
    "deviceComplianceUserStatusId": nullable(
        {**_STRING, "description": "Null while only the principal name is known."}
    ),
    "userPrincipalName": {**_STRING, "description": "Only of a message that names its user by it."},
    "userStatus": nullable({"type": "object", "description": "As accepted; null once erased."}),
    "source": nullable(_STRING),
    "idempotencyKey": nullable(_STRING),
    "priority": {"type": "string", "enum": list(PRIORITIES), "description": "Its lane of the quota."},
    "expiresDateTime": nullable({**DATE_TIME, "description": "From when on it is not worth sending."}),
    "submittedBy": nullable({**_STRING, "description": "The Entra principal, where the platform vouches for it."}),
    "createdDateTime": DATE_TIME,
    "lastActionDateTime": DATE_TIME,
    "nextAttemptDateTime": nullable(DATE_TIME),
    "attemptCount": COUNT,
    "error": nullable(ref("Error")),
    "supersededBy": nullable(UPDATE_ID),
    "replayOf": nullable(UPDATE_ID),
    "replayedBy": nullable(UPDATE_ID),
    "heldBy": nullable({**UPDATE_ID, "description": "The pause that holds it."}),
    "verification": nullable(ref("Verification")),
}
_REST = {
    "attempts": {"type": "array", "items": ref("Attempt"), "maxItems": 20, "description": "The last ones."},
    "result": nullable({"type": "object", "description": "What Graph returned."}),
    "rawMessage": {"type": "string", "description": "Of a message that could not be read, or was given up."},
    "rawMessageEncoding": {"type": "string", "const": "base64"},
}


def _message(named_by: str, other: str, example: Schema) -> Schema:
    """Return the message that names its user in one of the two ways."""
    properties = {name: rule for name, rule in UPDATE_SCHEMA["properties"].items() if name != other}
    return {
        **UPDATE_SCHEMA,
        "properties": properties | {"userStatus": ref("UserStatusValues")},
        "required": [*UPDATE_SCHEMA["required"], named_by],
        "examples": [example],
    }


_VALUE = object_of(
    {"value": {"type": ["string", "integer", "null"]}, "updateId": UPDATE_ID, "versionDateTime": DATE_TIME},
    description="A value (null once erased), the update that brought it, and the time that orders it.",
)
_CHECK = {"type": "string", "enum": ["ok", "failing", "unknown"]}

_PROBLEM: Schema = {
    "type": {"type": "string", "enum": [PROBLEM_URN + slug for slug in PROBLEMS]},
    **dict.fromkeys(("title", "detail", "instance"), _STRING),
    "status": {"type": "integer"},
    "errors": {"type": "array", "items": ref("Fault")},
}
SCHEMAS: Final[Schema] = {
    "Update": {
        "description": "A message: what is reported of one user, named by id or by principal name.",
        "oneOf": [ref("UpdateById"), ref("UpdateByName")],
    },
    "UpdateById": _message("deviceComplianceUserStatusId", "userPrincipalName", EXAMPLE),
    "UpdateByName": _message("userPrincipalName", "deviceComplianceUserStatusId", EXAMPLE_BY_NAME),
    "UserStatusValues": USER_STATUS_SCHEMA,
    "CloudEvent": {
        "type": "object",
        "description": "A CloudEvents 1.0 event; its data is the message, its source and id are the idempotency key.",
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            **{name: {"type": "string", "minLength": 1} for name in ("id", "source", "type")},
            "data": ref("Update"),
        },
        "required": ["specversion", "id", "source", "type", "data"],
        "additionalProperties": True,
    },
    "UpdateResource": object_of(_LISTED | _REST, optional=("userPrincipalName", "rawMessage", "rawMessageEncoding")),
    "ListedUpdate": object_of(_LISTED, optional=("userPrincipalName",)),
    "UpdateList": page_of("ListedUpdate"),
    "Error": object_of(
        {
            "code": _STRING,
            "message": {"type": "string", "maxLength": 2048},
            "errors": {"type": "array", "items": ref("Fault")},
            "innerError": ref("InnerError"),
        },
        optional=("errors", "innerError"),
    ),
    "InnerError": object_of(
        {
            "statusCode": nullable({"type": "integer"}),
            **{name: nullable(_STRING) for name in ("code", *_SUPPORT_IDS, "date")},
        },
        optional=("statusCode", "code", *_SUPPORT_IDS, "date"),
        description="What Graph said: its status, code and date, and the ids that Microsoft's support asks for.",
    ),
    "Fault": object_of({"pointer": {"type": "string", "description": "RFC 6901."}, "detail": _STRING}),
    "Attempt": object_of(
        {
            "startedDateTime": DATE_TIME,
            "durationMilliseconds": COUNT,
            "statusCode": nullable({"type": "integer"}),
            "code": nullable(_STRING),
            "requestId": nullable(_STRING),
            "clientRequestId": nullable(_STRING),
            "retryAfterSeconds": nullable({"type": "number"}),
        }
    ),
    "Verdicts": object_of({"value": {"type": "array", "items": ref("Verdict")}}),
    "Verdict": object_of(
        {"index": COUNT, "id": UPDATE_ID, "status": _STATUS, "error": ref("Error")},
        optional=("id", "status", "error"),
    ),
    "ReplayFilter": REPLAY_SCHEMA,
    "ReplayCount": object_of({"matched": COUNT}),
    "Replayed": object_of({"matched": COUNT, "replayed": {**COUNT, "maximum": MAX_REPLAYS}, "remaining": COUNT}),
    "UserStatus": object_of(
        {
            "deviceCompliancePolicyId": _STRING,
            "deviceComplianceUserStatusId": _STRING,
            "properties": {
                "type": "object",
                "properties": {name: ref("PropertyState") for name in PROPERTIES},
                "additionalProperties": False,
            },
        }
    ),
    "PropertyState": object_of({"confirmed": nullable(_VALUE), "waiting": nullable(_VALUE)}),
    "Doctor": object_of(
        {
            "asOfDateTime": DATE_TIME,
            "status": _OK_OR_FAILING,
            "checks": {"type": "array", "items": ref("Finding")},
        }
    ),
    "Finding": object_of(
        {
            "name": _STRING,
            "status": {"type": "string", "enum": ["ok", "failing", "unknown", "skipped"]},
            "detail": _STRING,
            "nextStep": nullable(_STRING),
        }
    ),
    "Live": object_of({"status": {"type": "string", "const": "ok"}}),
    "Ready": object_of(
        {
            "status": _OK_OR_FAILING,
            "checks": object_of({"queue": _CHECK, "table": _CHECK, "identity": _CHECK, "graph": _CHECK}),
        }
    ),
    "Problem": object_of(_PROBLEM, optional=("errors",), description="RFC 9457."),
}
