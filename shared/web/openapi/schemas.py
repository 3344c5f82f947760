"""The JSON shapes of the API as JSON Schema 2020-12, for the OpenAPI document; messages by what validates them."""

from collections.abc import Mapping
from typing import Any, Final

from shared.core.delivery.outcome import State
from shared.core.erasure.erasure import ErasureState
from shared.core.erasure.subject import SUBJECT_SCHEMA
from shared.core.intake.limits import MAX_REPLAYS, MAX_UPDATES
from shared.core.intake.update_schema import PROPERTIES, UPDATE_SCHEMA
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
IDS_EXAMPLE: Final[Schema] = {
    name: EXAMPLE[name] for name in ("deviceCompliancePolicyId", "deviceComplianceUserStatusId")
}
EXAMPLE_BY_NAME: Final[Schema] = {
    "deviceCompliancePolicyId": EXAMPLE["deviceCompliancePolicyId"],
    "userPrincipalName": "a.user@contoso.example",
    "userStatus": {"status": "compliant"},
}
_STATUSES = list(dict.fromkeys(state.status for state in State))
_DETAILS = [state.detail for state in State if state.detail]
_DATE_TIME: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ID: Schema = {"type": "string", "format": "uuid", "description": "A UUIDv7; its time is the acceptance time."}
_COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}


def ref(name: str) -> Schema:
    """A reference to one of these."""
    return {"$ref": f"#/components/schemas/{name}"}


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else {"anyOf": [schema, {"type": "null"}]}


def _object(properties: Schema, *, optional: tuple[str, ...] = (), **rest: Any) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **rest}


_STRING: Schema = {"type": "string"}
_LISTED = {
    "id": _ID,
    "status": {"enum": _STATUSES},
    "statusDetail": {"enum": [*_DETAILS, None]},
    "deviceCompliancePolicyId": _nullable(_STRING),
    "deviceComplianceUserStatusId": _nullable(
        {**_STRING, "description": "Null while only the principal name is known."}
    ),
    "userPrincipalName": {**_STRING, "description": "Only of a message that names its user by it."},
    "userStatus": _nullable({"type": "object", "description": "As accepted; null once erased."}),
    "source": _nullable(_STRING),
    "idempotencyKey": _nullable(_STRING),
    "submittedBy": _nullable({**_STRING, "description": "The Entra principal, where the platform vouches for it."}),
    "createdDateTime": _DATE_TIME,
    "lastActionDateTime": _DATE_TIME,
    "nextAttemptDateTime": _nullable(_DATE_TIME),
    "attemptCount": _COUNT,
    "error": _nullable(ref("Error")),
    "supersededBy": _nullable(_ID),
    "replayOf": _nullable(_ID),
    "replayedBy": _nullable(_ID),
}
_REST = {
    "attempts": {"type": "array", "items": ref("Attempt"), "maxItems": 20, "description": "The last ones."},
    "result": _nullable({"type": "object", "description": "What Graph returned."}),
    "rawMessage": {"type": "string", "description": "Of a message that could not be read, or was given up."},
    "rawMessageEncoding": {"const": "base64"},
}
_VALUE = _object(
    {"value": {"type": ["string", "integer", "null"]}, "updateId": _ID, "versionDateTime": _DATE_TIME},
    description="A value (null once erased), the update that brought it, and the time that orders it.",
)
_CHECK = {"enum": ["ok", "failing", "unknown"]}

SCHEMAS: Final[Schema] = {
    "Update": {**UPDATE_SCHEMA, "examples": [EXAMPLE, EXAMPLE_BY_NAME]},
    "UpdateResource": _object(_LISTED | _REST, optional=("userPrincipalName", "rawMessage", "rawMessageEncoding")),
    "ListedUpdate": _object(_LISTED, optional=("userPrincipalName",)),
    "UpdateList": _object(
        {"value": {"type": "array", "items": ref("ListedUpdate")}, "nextLink": {"type": "string", "format": "uri"}},
        optional=("nextLink",),
    ),
    "Error": _object(
        {
            "code": _STRING,
            "message": {"type": "string", "maxLength": 2048},
            "errors": {"type": "array", "items": ref("Fault")},
            "innerError": {
                "type": "object",
                "description": "Graph's own: statusCode, code, requestId, activityId, ...",
            },
        },
        optional=("errors", "innerError"),
    ),
    "Fault": _object({"pointer": {"type": "string", "description": "RFC 6901."}, "detail": _STRING}),
    "Attempt": _object(
        {
            "startedDateTime": _DATE_TIME,
            "durationMilliseconds": _COUNT,
            "statusCode": _nullable({"type": "integer"}),
            "code": _nullable(_STRING),
            "requestId": _nullable(_STRING),
            "clientRequestId": _nullable(_STRING),
            "retryAfterSeconds": _nullable({"type": "number"}),
        }
    ),
    "Batch": _object(
        {"updates": {"type": "array", "items": ref("Update"), "minItems": 1, "maxItems": MAX_UPDATES}},
        additionalProperties=False,
    ),
    "Verdicts": _object({"value": {"type": "array", "items": ref("Verdict")}}),
    "Verdict": _object(
        {"index": _COUNT, "id": _ID, "status": {"enum": _STATUSES}, "error": ref("Error")},
        optional=("id", "status", "error"),
    ),
    "ReplayFilter": REPLAY_SCHEMA,
    "ReplayCount": _object({"matched": _COUNT}),
    "Replayed": _object({"matched": _COUNT, "replayed": {**_COUNT, "maximum": MAX_REPLAYS}, "remaining": _COUNT}),
    "UserStatus": _object(
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
    "PropertyState": _object({"confirmed": _nullable(_VALUE), "waiting": _nullable(_VALUE)}),
    "ErasureSubject": SUBJECT_SCHEMA,
    "Erasure": _object(
        {
            "id": {**_ID, "description": "A UUIDv7; what was accepted after its time is not touched."},
            "status": {"enum": [state.value for state in ErasureState]},
            "createdDateTime": _DATE_TIME,
            "lastActionDateTime": _DATE_TIME,
            "updatesErased": _COUNT,
            "userStatusesErased": _COUNT,
        },
        description="It never says whom it is about.",
    ),
    "Stats": _object(
        {
            "asOfDateTime": _DATE_TIME,
            "last24Hours": _object(
                {"byStatus": _COUNTS, "byStatusDetail": _COUNTS, "byErrorCode": _COUNTS, "graphWrites": _COUNT}
            ),
            "deliveriesPerMinute": {"type": "number", "minimum": 0},
            "deliveries": {"type": "array", "items": _object({"startDateTime": _DATE_TIME, "count": _COUNT})},
            "queue": _object({"length": _COUNT, "headAgeSeconds": _nullable({"type": "number", "minimum": 0})}),
            "quota": _object(
                {
                    "writes": _COUNT,
                    "seconds": {"type": "number"},
                    "used": _COUNT,
                    "holding": {"type": "boolean"},
                    "holdUntilDateTime": _nullable(_DATE_TIME),
                }
            ),
        }
    ),
    "Doctor": _object(
        {
            "asOfDateTime": _DATE_TIME,
            "status": {"enum": ["ok", "failing"]},
            "checks": {"type": "array", "items": ref("Finding")},
        }
    ),
    "Finding": _object(
        {
            "name": _STRING,
            "status": {"enum": ["ok", "failing", "unknown", "skipped"]},
            "detail": _STRING,
            "nextStep": _nullable(_STRING),
        }
    ),
    "Live": _object({"status": {"const": "ok"}}),
    "Ready": _object(
        {
            "status": {"enum": ["ok", "failing"]},
            "checks": _object({"queue": _CHECK, "table": _CHECK, "identity": _CHECK, "graph": _CHECK}),
        }
    ),
    "Problem": _object(
        {
            "type": {"enum": [PROBLEM_URN + slug for slug in PROBLEMS]},
            "title": _STRING,
            "status": {"type": "integer"},
            "detail": _STRING,
            "instance": _STRING,
            "errors": {"type": "array", "items": ref("Fault")},
        },
        optional=("errors",),
        description="RFC 9457.",
    ),
}
