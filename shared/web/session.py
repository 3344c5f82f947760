"""``GET /api/session``: how the dashboard's reader signs in, and who has; nothing about anybody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.web.authorization import Principal, Role
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import as_json, operation
from shared.web.openapi.schemas import Schema, object_of, ref
from shared.web.response import json_response


@dataclass(frozen=True)
class SessionApi:
    """What anyone may ask: the app's mode, and what the app knows of the one who asks."""

    callers: Callers

    @endpoint
    def get_session(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return how to sign in, and who has.

        The mode, and with Entra also the caller: null where nobody is signed in.
        """
        if not self.callers.needs_role:
            return json_response(200, {"authentication": "functionKeys"})
        principal = self.callers.signed_in(request)
        return json_response(200, {"authentication": "entra", "signedIn": principal and _caller(principal)})


def _caller(principal: Principal) -> dict[str, Any]:
    return {"id": principal.id, "name": principal.name, "roles": sorted(principal.roles)}


_CALLER: Final[Schema] = {
    "id": {"type": "string", "description": "The Entra object id."},
    "name": {"type": "string"},
    "roles": {"type": "array", "items": {"type": "string", "enum": list(Role)}},
}
SCHEMAS: Final[Mapping[str, Schema]] = {
    "Session": object_of(
        {
            "authentication": {"type": "string", "enum": ["functionKeys", "entra"]},
            "signedIn": {
                **object_of(_CALLER, description="The caller; null where nobody is signed in."),
                "type": ["object", "null"],
            },
        },
        optional=("signedIn",),
    ),
}
EXAMPLE: Final[Schema] = {
    "id": "8d3f2c11-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "name": "ada@contoso.example",
    "roles": ["Updates.Operate"],
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/session": {
        "get": operation(SessionApi.get_session, "Operations", {200: as_json(ref("Session"), "The mode, the caller.")}),
    },
}
