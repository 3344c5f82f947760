"""What answers look like, by the schema that each is an example of."""

from typing import Any, Final

from shared.web.openapi.schemas import EXAMPLE, IDS_EXAMPLE

_ID, _OTHER = "01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a", "01932c5e-8f3b-7d02-9c11-0a1b2c3d4e5f"
_NOTHING_YET: Final[dict[str, Any]] = {
    "source": None,
    "idempotencyKey": None,
    "submittedBy": None,
    "nextAttemptDateTime": None,
    "attemptCount": 0,
    "error": None,
    "supersededBy": None,
    "replayOf": None,
    "replayedBy": None,
}
_ATTEMPT: Final[dict[str, Any]] = {
    "startedDateTime": "2026-11-23T20:30:01.204Z",
    "durationMilliseconds": 251,
    "statusCode": 200,
    "code": None,
    "requestId": "8a2a1b1e-55d0-4a7b-9c0f-2f6b8d1c7e10",
    "clientRequestId": "0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a",
    "retryAfterSeconds": None,
}
_LISTED: Final[dict[str, Any]] = {
    "id": _ID,
    "status": "succeeded",
    "statusDetail": "delivered",
    **EXAMPLE,
    **_NOTHING_YET,
    "attemptCount": 1,
    "createdDateTime": "2026-11-23T20:30:00.123Z",
    "lastActionDateTime": "2026-11-23T20:30:01.456Z",
}
_FAULT: Final[dict[str, Any]] = {
    "pointer": "/userStatus/devicesCount",
    "detail": "must be an integer",
}

EXAMPLES: Final[dict[str, list[dict[str, Any]]]] = {
    "UpdateResource": [
        {**_LISTED, "attempts": [_ATTEMPT], "result": {"id": EXAMPLE["deviceComplianceUserStatusId"]}},
    ],
    "UpdateList": [{"value": [_LISTED]}],
    "Verdicts": [
        {
            "value": [
                {"index": 0, "id": _ID, "status": "notStarted"},
                {
                    "index": 1,
                    "error": {
                        "code": "invalidMessage",
                        "message": "The message is not valid; see errors.",
                        "errors": [_FAULT],
                    },
                },
            ]
        }
    ],
    "UserStatus": [
        {
            **IDS_EXAMPLE,
            "properties": {
                "status": {
                    "confirmed": {
                        "value": "compliant",
                        "updateId": _ID,
                        "versionDateTime": "2026-11-23T20:30:00.1234567Z",
                    },
                    "waiting": {
                        "value": "nonCompliant",
                        "updateId": _OTHER,
                        "versionDateTime": "2026-11-23T20:31:00.0000000Z",
                    },
                }
            },
        }
    ],
    "Ready": [{"status": "ok", "checks": {"queue": "ok", "table": "ok", "identity": "ok", "graph": "ok"}}],
    "Problem": [
        {
            "type": "urn:compliance-status-relay:problem:invalidMessage",
            "title": "Bad Request",
            "status": 400,
            "detail": "The message is not valid; see errors.",
            "instance": "/api/updates",
            "errors": [_FAULT],
        }
    ],
}
