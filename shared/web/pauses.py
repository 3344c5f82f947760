"""``/api/pauses``: keep updates from being sent, look at what is held, and let it go on or cancel it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.audit import Action
from shared.core.basics.strict_json import InvalidMessage
from shared.core.basics.update_id import is_update_id
from shared.core.intake.limits import MAX_MESSAGE_BYTES
from shared.core.pause import REQUEST_SCHEMA, SCOPE_SCHEMA, Kind, parse_request, resource
from shared.service.audit import Audit
from shared.service.maintenance.manage_pauses import HeldBy, ManagePauses, TooManyPauses
from shared.service.ports.runtime import Clock
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import BODY_FAULTS, ID, as_json, body, header, link, operation
from shared.web.openapi.schemas import COUNT, DATE_TIME, URL, Schema, nullable, object_of, ref
from shared.web.request import json_body, malformed
from shared.web.response import Problem, empty_response, json_response

_ROUTE = "/api/pauses"
_NOT_FOUND = Problem("notFound", "There is no such pause: it has ended, or never was.")


@dataclass(frozen=True)
class PausesApi:
    """Pauses over their use case."""

    manage: ManagePauses
    audit: Audit
    callers: Callers
    clock: Clock

    @endpoint
    def post_pause(self, request: func.HttpRequest) -> func.HttpResponse:
        """Begin a pause.

        Within 5 seconds no instance sends an update in its scope. Updates are accepted as before; those in the scope
        are `held`, keep their order, and cost nothing meanwhile. Their deadline does not run. An empty scope is
        everything. The pause ends at `endsDateTime`, or when an operator ends it. 409 where there are 100 already.
        """
        asked = parse_request(json_body(request, MAX_MESSAGE_BYTES), self.clock.now())
        if isinstance(asked, InvalidMessage):
            raise malformed(asked)
        by = self.callers.principal(request)
        pause = self.manage.draft(asked, by)
        begun = self.audit.of(Action.PAUSE, pause.id, partial(self.manage.begin, pause), by=by)
        if isinstance(begun, TooManyPauses):
            raise Problem("tooManyPauses", begun.why)
        location = f"{self.callers.base(request)}{_ROUTE}/{pause.id}"
        return json_response(201, resource(begun, 0), {"Location": location})

    @endpoint
    def list_pauses(self, _request: func.HttpRequest) -> func.HttpResponse:
        """List the pauses that hold updates.

        Those of the brake come first, then the newest. All of them are on one page.
        """
        return json_response(200, {"value": [_shown(held) for held in self.manage.list()]})

    @endpoint
    def get_pause(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return a pause.

        With the number of updates that it holds. 404 where it has ended.
        """
        found = self.manage.get(_id(request))
        if found is None:
            raise _NOT_FOUND
        return json_response(200, _shown(found))

    @endpoint
    def end_pause(self, request: func.HttpRequest) -> func.HttpResponse:
        """End a pause.

        What it held gets its turn in the order of acceptance, the first within 10 seconds; of each user status the
        newest value alone is sent. 404 where it has ended.
        """
        pause_id, by = _id(request), self.callers.principal(request)
        if self.audit.of(Action.RESUME, pause_id, partial(self.manage.end, pause_id), by=by) is None:
            raise _NOT_FOUND
        return empty_response(204)

    @endpoint
    def cancel_paused_updates(self, request: func.HttpRequest) -> func.HttpResponse:
        """Cancel all that a pause holds.

        Then the pause ends. `heldCount` is what is still to be canceled; it goes on by itself. 404 where the pause has
        ended.
        """
        pause_id, by = _id(request), self.callers.principal(request)
        cancel = partial(self.manage.cancel_updates, pause_id)
        canceling = self.audit.of(Action.CANCEL_UPDATES, pause_id, cancel, by=by)
        if canceling is None:
            raise _NOT_FOUND
        return json_response(202, _shown(canceling))


def _id(request: func.HttpRequest) -> str:
    pause_id = str(request.route_params["id"]).lower()
    if not is_update_id(pause_id):
        raise _NOT_FOUND
    return pause_id


def _shown(held: HeldBy) -> dict[str, object]:
    return resource(held.pause, held.held_count)


_ID_SCHEMA: Final[Schema] = {"type": "string", "format": "uuid", "description": "A UUIDv7."}
SCHEMAS: Final[Mapping[str, Schema]] = {
    "PauseRequest": REQUEST_SCHEMA,
    "PauseScope": SCOPE_SCHEMA,
    "Pause": object_of(
        {
            "id": _ID_SCHEMA,
            "kind": {"type": "string", "enum": list(Kind), "description": "Who began it."},
            "reason": {"type": "string"},
            "scope": ref("PauseScope"),
            "createdBy": nullable({"type": "string", "description": "The Entra object id, where it is known."}),
            "createdDateTime": DATE_TIME,
            "endsDateTime": nullable({**DATE_TIME, "description": "When it ends by itself."}),
            "heldCount": {**COUNT, "description": "How many updates it holds."},
        },
        description="What keeps updates from being sent.",
    ),
    "PauseList": object_of({"value": {"type": "array", "items": ref("Pause")}}),
}
EXAMPLE: Final[Schema] = {
    "id": "01932c5e-8f3b-7d02-9c11-0a1b2c3d4e5f",
    "kind": "operator",
    "reason": "Intune's maintenance",
    "scope": {"source": "jamf"},
    "createdBy": "8d3f2c11-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "createdDateTime": "2026-11-23T20:30:00.123Z",
    "endsDateTime": None,
    "heldCount": 12,
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/pauses": {
        "post": operation(
            PausesApi.post_pause,
            "Pauses",
            {
                201: as_json(
                    ref("Pause"),
                    "The pause has begun.",
                    {"Location": header("Where to ask for it.", URL)},
                    **link("getPause", "How many updates it holds."),
                )
            },
            *BODY_FAULTS,
            409,
            requestBody=body(
                ref("PauseRequest"),
                {
                    "everything": {"reason": "Intune's maintenance"},
                    "source": {"reason": "a bug", "scope": {"source": "jamf"}},
                },
            ),
        ),
        "get": operation(PausesApi.list_pauses, "Pauses", {200: as_json(ref("PauseList"), "All pauses.")}),
    },
    "/pauses/{id}": {
        "get": operation(
            PausesApi.get_pause, "Pauses", {200: as_json(ref("Pause"), "The pause.")}, 404, parameters=[ID]
        ),
        "delete": operation(
            PausesApi.end_pause, "Pauses", {204: {"description": "The pause has ended."}}, 404, parameters=[ID]
        ),
    },
    "/pauses/{id}/cancelUpdates": {
        "post": operation(
            PausesApi.cancel_paused_updates,
            "Pauses",
            {202: as_json(ref("Pause"), "What is held is being canceled.")},
            404,
            parameters=[ID],
        ),
    },
}
