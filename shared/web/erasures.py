"""``POST /api/erasures`` and ``GET /api/erasures/{id}``: asking for a person's erasure, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.audit import Action, Result
from shared.core.basics.strict_json import InvalidMessage
from shared.core.basics.update_id import is_update_id
from shared.core.erasure.erasure import Erasure, ErasureState, resource
from shared.core.erasure.subject import SUBJECT_SCHEMA, parse_subject
from shared.core.intake.limits import MAX_MESSAGE_BYTES
from shared.service.audit import Audit
from shared.service.erasure.erase import Erase
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import BODY_FAULTS, FOLLOWED, ID, SECONDS, as_json, body, link, operation
from shared.web.openapi.schemas import COUNT, DATE_TIME, IDS_EXAMPLE, UPDATE_ID, Schema, object_of, ref
from shared.web.request import json_body, malformed
from shared.web.response import Problem, json_response

#: The timer goes on with it every minute.
ASK_AGAIN_SECONDS = 20
_NOT_FOUND = Problem("notFound", "There is no such erasure.")


@dataclass(frozen=True)
class ErasuresApi:
    """An operation that an Azure SDK poller can follow."""

    erase: Erase
    audit: Audit
    callers: Callers

    @endpoint
    def post_erasure(self, request: func.HttpRequest) -> func.HttpResponse:
        """Erase a person's data.

        Every request is an erasure of its own: it covers all that was accepted before it.
        """
        subject = parse_subject(json_body(request, MAX_MESSAGE_BYTES))
        if isinstance(subject, InvalidMessage):
            raise malformed(subject)
        by = self.callers.principal(request)
        erasure = self.audit.of(Action.ERASE, None, partial(self.erase.request, subject), by=by)
        location = f"{self.callers.base(request)}/api/erasures/{erasure.id}"
        where = {"Location": location, "Operation-Location": location}
        return json_response(202, resource(erasure), where | _ask_again(erasure))

    @endpoint
    def get_erasure(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return how far an erasure has come.

        It never says whom it is about. 404 once retention has passed.
        """
        erasure_id = str(request.route_params["id"]).lower()
        erasure = self.erase.get(erasure_id) if is_update_id(erasure_id) else None
        if erasure is None:
            raise _NOT_FOUND
        return json_response(200, resource(erasure), _ask_again(erasure))


def _requested(_: Erasure) -> Result:
    return Result.SUCCEEDED


def _ask_again(erasure: Erasure) -> dict[str, str]:
    return {} if erasure.state.final else {"Retry-After": str(ASK_AGAIN_SECONDS)}


SCHEMAS: Final[Schema] = {
    "ErasureSubject": SUBJECT_SCHEMA,
    "Erasure": object_of(
        {
            "id": {**UPDATE_ID, "description": "A UUIDv7; what was accepted after its time is not touched."},
            "status": {"type": "string", "enum": [state.value for state in ErasureState]},
            "createdDateTime": DATE_TIME,
            "lastActionDateTime": DATE_TIME,
            "updatesErased": COUNT,
            "userStatusesErased": COUNT,
        },
        description="It never says whom it is about.",
    ),
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/erasures": {
        "post": operation(
            ErasuresApi.post_erasure,
            "Erasures",
            {
                202: as_json(
                    ref("Erasure"), "The erasure has begun.", FOLLOWED, **link("getErasure", "How far it has come.")
                )
            },
            *BODY_FAULTS,
            requestBody=body(
                ref("ErasureSubject"),
                {"person": {"userPrincipalName": "ada@contoso.com"}, "userStatus": IDS_EXAMPLE},
            ),
        ),
    },
    "/erasures/{id}": {
        "get": operation(
            ErasuresApi.get_erasure,
            "Erasures",
            {200: as_json(ref("Erasure"), "The erasure.", {"Retry-After": SECONDS})},
            404,
            parameters=[ID],
        ),
    },
}
