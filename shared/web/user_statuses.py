"""``GET`` of a user status: what Graph confirmed of it, and what is on its way there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.timestamp import format_ticks
from shared.core.delivery.user_status import NOTHING, Value, pending_values
from shared.core.delivery.user_status import UserStatusRow as Row
from shared.core.intake.update import user_status_key
from shared.core.intake.update_schema import PROPERTIES
from shared.service.ports.storage import UserStatusStore
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import TEXT, as_json, operation, parameter
from shared.web.openapi.schemas import Schema, ref
from shared.web.response import Problem, json_response

_IDS = ("deviceCompliancePolicyId", "deviceComplianceUserStatusId")


@dataclass(frozen=True)
class UserStatusesApi:
    """The values of one user status, by one read."""

    user_statuses: UserStatusStore
    callers: Callers

    @endpoint
    def get_user_status(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return the values of a user status.

        For each property the value that Graph confirmed and the one that waits, each with its update and the time that
        orders it. 404 where no update of this user status was ever accepted.
        """
        policy_id, user_status_id = (request.route_params[name] for name in _IDS)
        snapshot = self.user_statuses.read(user_status_key(policy_id, user_status_id))
        if snapshot.row is None and not snapshot.accepted:
            raise Problem("notFound", "No update of this user status was ever accepted here.")
        row = snapshot.row or Row(policy_id, user_status_id, NOTHING)
        waiting = pending_values(row, snapshot.accepted)
        properties = {
            name: {"confirmed": _value(row.confirmed.get(name)), "waiting": _value(waiting.get(name))}
            for name in PROPERTIES
            if name in row.confirmed or name in waiting
        }
        return json_response(
            200,
            {
                **dict(zip(_IDS, (row.policy_id, row.user_status_id), strict=True)),
                "properties": properties,
            },
        )


def _value(value: Value | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        "value": value.value,
        "updateId": value.update_id,
        "versionDateTime": format_ticks(value.version.instant),
    }


OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/deviceCompliancePolicies/{deviceCompliancePolicyId}/userStatuses/{deviceComplianceUserStatusId}": {
        "get": operation(
            UserStatusesApi.get_user_status,
            "User statuses",
            {200: as_json(ref("UserStatus"), "The values by property.")},
            404,
            parameters=[parameter(name, TEXT, "path", f"The user status's {name}.") for name in _IDS],
        ),
    },
}
