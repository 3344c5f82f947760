"""What each operation of the OpenAPI document asks of its callers: a function key, or a token with an app role."""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.web.authorization import ANYONE, NEEDED, Role
from shared.web.openapi.operations import problem
from shared.web.openapi.schemas import Schema

_KEYS: Final[Mapping[str, Schema]] = {
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "A function key of the app.",
    },
    "functionKeyQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "code",
        "description": "The same, for senders that can set no header.",
    },
}
_ENTRA: Final[Mapping[str, Schema]] = {
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An Entra access token for the relay's app registration. Each operation names the app roles of "
        "which the caller needs one.",
    },
}
_UNAUTHENTICATED = problem("There is no principal: the access token is missing.")
_FORBIDDEN = problem("The caller has none of the app roles that it needs, or another site may have made the call.")


def secured(document: Mapping[str, Any], *, needs_role: bool) -> dict[str, Any]:
    """Return the document with its security; ``needs_role`` where Entra answers for callers."""
    schemes = _ENTRA if needs_role else _KEYS
    paths = document["paths"]
    if needs_role:
        paths = {path: {method: _with_roles(each) for method, each in paths[path].items()} for path in paths}
    return {
        **document,
        "security": [{name: []} for name in schemes],
        "paths": paths,
        "components": {**document["components"], "securitySchemes": schemes},
    }


def _with_roles(operation: Schema) -> Schema:
    needed = NEEDED.get(_handler(operation["operationId"]), ANYONE)
    if needed is ANYONE:
        return operation
    responses = {**operation["responses"], "401": _UNAUTHENTICATED, "403": _FORBIDDEN}
    security = [{"entra": [role.value]} for role in Role if role in needed]
    return {**operation, "security": security, "responses": dict(sorted(responses.items()))}


def _handler(operation_id: str) -> str:
    """Return the name of the handler that answers an operation: ``postUpdate`` is ``post_update``."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", operation_id)
