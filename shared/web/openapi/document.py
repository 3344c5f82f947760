"""``GET /api/openapi.json``: OpenAPI 3.1 of the whole API, with examples, and the answer to unknown paths."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.web import (
    audit,
    batch,
    dashboard_files,
    doctor,
    erasures,
    health,
    pauses,
    session,
    stats,
    updates,
    user_statuses,
    validation,
    webhooks,
)
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import as_json, operation
from shared.web.openapi.schemas import EXAMPLE, IDS_EXAMPLE, SCHEMAS, Schema
from shared.web.openapi.security import secured
from shared.web.response import PROBLEM_URN, Problem, json_response

_PREFIX = "/api"
_TAGS = {
    "Updates": "Statuses of users on their way to Intune.",
    "User statuses": "What Graph confirmed of a user, and what is on its way.",
    "Webhooks": "Requests of other systems, verified by their signatures.",
    "Pauses": "Keeping updates from being sent without losing them.",
    "Erasures": "Erasing a person's data.",
    "Operations": "How the relay is doing.",
    "Health": "Probes for load balancers.",
    "Dashboard": "The operator's page.",
}


_ID, _OTHER = "01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a", "01932c5e-8f3b-7d02-9c11-0a1b2c3d4e5f"
_NOTHING_YET: Final[dict[str, Any]] = {
    "source": None,
    "idempotencyKey": None,
    "priority": "normal",
    "expiresDateTime": None,
    "submittedBy": None,
    "nextAttemptDateTime": None,
    "attemptCount": 0,
    "error": None,
    "supersededBy": None,
    "replayOf": None,
    "replayedBy": None,
    "heldBy": None,
    "verification": None,
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

EXAMPLES: Final[dict[str, list[Schema]]] = {
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
    "Pause": [pauses.EXAMPLE],
    "PauseList": [{"value": [pauses.EXAMPLE]}],
    "Validation": [validation.RESULT],
    "AuditRecord": [audit.EXAMPLE],
    "AuditList": [{"value": [audit.EXAMPLE]}],
    "Session": [{"authentication": "functionKeys"}, {"authentication": "entra", "signedIn": session.EXAMPLE}],
    "Ready": [{"status": "ok", "checks": {"queue": "ok", "table": "ok", "identity": "ok", "graph": "ok"}}],
    "Problem": [
        {
            "type": PROBLEM_URN + "invalidMessage",
            "title": "Bad Request",
            "status": 400,
            "detail": "The message is not valid; see errors.",
            "instance": "/api/updates",
            "errors": [_FAULT],
        }
    ],
}


_SCHEMAS: Final[Schema] = {
    **SCHEMAS,
    **batch.SCHEMAS,
    **validation.SCHEMAS,
    **erasures.SCHEMAS,
    **pauses.SCHEMAS,
    **validation.SCHEMAS,
    **stats.SCHEMAS,
    **audit.SCHEMAS,
    **session.SCHEMAS,
}


def document(base_url: str, *, needs_role: bool = False) -> dict[str, Any]:
    """Return the whole document for one address; ``needs_role`` where Entra answers for callers."""
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Compliance Status Relay",
            "version": "1.0.0",
            "description": "Carries compliance statuses of users into Microsoft Intune.",
            "contact": {"name": "Who operates this relay"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url + _PREFIX}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": PATHS,
        "components": {
            "schemas": {
                name: {**schema, "examples": EXAMPLES[name]} if name in EXAMPLES else schema
                for name, schema in _SCHEMAS.items()
            },
        },
    }
    return secured(whole, needs_role=needs_role)


@dataclass(frozen=True)
class OpenApi:
    """The document, and the answer to every path that it does not hold."""

    callers: Callers

    @endpoint
    def get_openapi(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return this document.

        OpenAPI 3.1, for the address that the request used. It needs no key and holds no secret.
        """
        return json_response(200, document(self.callers.base(request), needs_role=self.callers.needs_role))

    @endpoint
    def unknown(self, request: func.HttpRequest) -> func.HttpResponse:
        """Raise a problem: 405 with the methods of a known path, else 404."""
        path = urlsplit(request.url).path
        allowed = _allowed(path)
        if allowed:
            raise Problem("methodNotAllowed", f"{path} takes {', '.join(allowed)}.", allow=allowed)
        raise Problem("notFound", f"There is no {request.method} {path}.")


PATHS: Final[Mapping[str, Mapping[str, Schema]]] = {
    **updates.OPERATIONS,
    **batch.OPERATIONS,
    **validation.OPERATIONS,
    **user_statuses.OPERATIONS,
    **erasures.OPERATIONS,
    **pauses.OPERATIONS,
    **webhooks.OPERATIONS,
    **stats.OPERATIONS,
    **doctor.OPERATIONS,
    **audit.OPERATIONS,
    **session.OPERATIONS,
    **health.OPERATIONS,
    "/openapi.json": {
        "get": operation(
            OpenApi.get_openapi,
            "Operations",
            {200: as_json({"type": "object"}, "The document.")},
            operation_id="openapi",
        )
    },
    **dashboard_files.OPERATIONS,
}


def _allowed(path: str) -> list[str]:
    """Return the methods of a path, of its own template before one with a parameter in its place."""
    templates = sorted((template for template in PATHS if _is(template, path)), key=lambda text: text.count("{"))
    methods = [method.upper() for template in templates[:1] for method in PATHS[template]]
    return sorted({*methods, "HEAD"} if "GET" in methods else methods)


def _is(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(_PREFIX + template))
    return re.fullmatch(pattern + "/?", path, re.IGNORECASE) is not None
