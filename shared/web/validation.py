"""``POST /api/updates/validate``: whether a message is valid and what would become of it, without accepting it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.timestamp import format_milliseconds
from shared.service.delivery.validate import Forecast, Validate
from shared.service.ports.runtime import Clock
from shared.web.caller import Callers
from shared.web.endpoint import async_endpoint
from shared.web.openapi.operations import BODY_FAULTS, KEY, as_json, body, operation
from shared.web.openapi.schemas import DATE_TIME, EXAMPLE, EXAMPLE_BY_NAME, Schema, nullable, object_of, ref
from shared.web.request import read_update
from shared.web.response import json_response
from shared.web.waiting import Waiting


@dataclass(frozen=True)
class ValidationApi:
    """The check of one message."""

    validate: Validate
    clock: Clock
    callers: Callers
    waiting: Waiting

    # The catch-all's name must sort last, so this one may not begin with "validate".
    @async_endpoint
    async def post_validation(self, request: func.HttpRequest) -> func.HttpResponse:
        """Check an update without accepting it.

        400 with all faults, as for an update that is submitted. Else what would become of it now: which user status it
        is for, whether newer values would supersede it, and when its turn would come. Nothing is written, to storage or
        to Graph, and no idempotency key is taken.
        """
        update = read_update(request, self.clock.now())
        return json_response(200, _members(await self.waiting.in_time(lambda: self.validate(update))))


def _members(forecast: Forecast) -> dict[str, Any]:
    return {
        "valid": True,
        "deviceComplianceUserStatusId": forecast.user_status_id,
        "wouldBeSuperseded": forecast.superseded,
        "heldBy": forecast.held_by,
        "estimatedDeliveryDateTime": forecast.delivery and format_milliseconds(forecast.delivery),
    }


RESULT: Final[Schema] = {
    "valid": True,
    "deviceComplianceUserStatusId": EXAMPLE["deviceComplianceUserStatusId"],
    "wouldBeSuperseded": False,
    "heldBy": None,
    "estimatedDeliveryDateTime": "2026-11-23T20:30:01.204Z",
}
SCHEMAS: Final[Schema] = {
    "Validation": object_of(
        {
            "valid": {"type": "boolean", "const": True},
            "deviceComplianceUserStatusId": nullable(
                {"type": "string", "description": "null where a principal name has not been looked up yet."}
            ),
            "wouldBeSuperseded": {
                "type": "boolean",
                "description": "Each of its values is older than one that Graph has, or that waits.",
            },
            "heldBy": nullable({"type": "string", "description": "The pause that would hold it."}),
            "estimatedDeliveryDateTime": nullable(
                {**DATE_TIME, "description": "When its turn would come; null while it would be held."}
            ),
        }
    )
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/updates/validate": {
        "post": operation(
            ValidationApi.post_validation,
            "Updates",
            {200: as_json(ref("Validation"), "It is valid.")},
            *BODY_FAULTS,
            operation_id="validateUpdate",
            parameters=[KEY],
            requestBody=body(
                ref("Update"),
                {"documented": EXAMPLE, "byPrincipalName": EXAMPLE_BY_NAME},
                cloudevents=ref("CloudEvent"),
            ),
        )
    }
}
