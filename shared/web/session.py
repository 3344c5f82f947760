"""``GET /api/session``: how the dashboard's reader signs in, and who has; nothing about anybody else."""

from dataclasses import dataclass
from typing import Any

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.web.authorization import Principal
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.response import json_response


@dataclass(frozen=True)
class SessionApi:
    """What anyone may ask: the app's mode, and what the app knows of the one who asks."""

    callers: Callers

    @endpoint
    def get_session(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return the mode, and with Entra the caller; null where nobody is signed in."""
        if not self.callers.needs_role:
            return json_response(200, {"authentication": "functionKeys"})
        principal = self.callers.signed_in(request)
        return json_response(200, {"authentication": "entra", "signedIn": principal and _caller(principal)})


def _caller(principal: Principal) -> dict[str, Any]:
    return {"id": principal.id, "name": principal.name, "roles": sorted(principal.roles)}
