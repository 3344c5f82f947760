"""Who may call what, as the OpenAPI document says it: the operations about callers, and the security of every one."""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.core.audit import AUDIT_SCHEMA
from shared.core.delivery.outcome_filter import PAGING
from shared.web.audit import AUDIT_FILTERS
from shared.web.authorization import ANYONE, NEEDED, Role
from shared.web.openapi import parts
from shared.web.openapi.parts import as_json, operation, parameter, problem
from shared.web.openapi.schemas import Schema, page_of, ref

PATHS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/audit": {
        "get": operation(
            "List what was done to the relay, newest first",
            {200: as_json(ref("AuditList"), "A page.")},
            400,
            operationId="listAudit",
            parameters=[parameter(name, schema) for name, schema in (AUDIT_FILTERS | PAGING).items()],
        ),
    },
    "/session": {
        "get": operation(
            "How to sign in, and who has",
            {200: as_json(ref("Session"), "The mode; with Entra also the caller.")},
            operationId="getSession",
            security=parts.ANYONE,
        ),
    },
}
SCHEMAS: Final[Mapping[str, Schema]] = {
    "AuditRecord": AUDIT_SCHEMA,
    "AuditList": page_of("AuditRecord"),
    "Session": {
        "type": "object",
        "properties": {
            "authentication": {"enum": ["functionKeys", "entra"]},
            "signedIn": {
                "type": ["object", "null"],
                "description": "With Entra alone: the caller as App Service authentication established it.",
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "roles": {"type": "array", "items": {"enum": list(Role)}},
                },
                "required": ["id", "name", "roles"],
                "additionalProperties": False,
            },
        },
        "required": ["authentication"],
        "additionalProperties": False,
    },
}
_SIGNED_IN: Final[Schema] = {
    "id": "8d3f2c11-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "name": "ada@contoso.com",
    "roles": ["Updates.Operate"],
}
_RECORD: Final[Schema] = {
    "id": "01932c5e-8f3b-7d02-9c11-0a1b2c3d4e5f",
    "createdDateTime": "2026-11-23T20:30:00.123Z",
    "action": "cancel",
    "by": _SIGNED_IN["id"],
    "target": "01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a",
    "result": "succeeded",
}
EXAMPLES: Final[Mapping[str, list[Schema]]] = {
    "AuditRecord": [_RECORD],
    "AuditList": [{"value": [_RECORD]}],
    "Session": [{"authentication": "functionKeys"}, {"authentication": "entra", "signedIn": _SIGNED_IN}],
}
_KEYS: Final[Mapping[str, Schema]] = {
    "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
    "functionKeyQuery": {"type": "apiKey", "in": "query", "name": "code"},
}
_ENTRA: Final[Mapping[str, Schema]] = {
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token for the relay's app registration; operations name the app roles of which one "
        "is needed.",
    },
}
_UNAUTHENTICATED = problem("No principal: the access token is missing.")
_FORBIDDEN = problem("The caller has none of the needed app roles, or another site may have made the call.")


def secured(document: Mapping[str, Any], *, needs_role: bool) -> dict[str, Any]:
    """Return the document with what its operations ask of their callers: a function key, or a token with a role."""
    schemes = _ENTRA if needs_role else _KEYS
    security: list[Schema] = [{name: []} for name in schemes]
    components = {**document["components"], "securitySchemes": schemes}
    paths = document["paths"]
    if needs_role:
        paths = {
            path: {method: _with_roles(each) for method, each in methods.items()} for path, methods in paths.items()
        }
    return {**document, "security": security, "paths": paths, "components": components}


def _with_roles(each: Schema) -> Schema:
    needed = NEEDED.get(_handler(each["operationId"]), ANYONE)
    if needed is ANYONE:
        return each
    responses = {**each["responses"], "401": _UNAUTHENTICATED, "403": _FORBIDDEN}
    security = [{"entra": [role.value]} for role in Role if role in needed]
    return {**each, "security": security, "responses": dict(sorted(responses.items()))}


def _handler(operation_id: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", operation_id)
