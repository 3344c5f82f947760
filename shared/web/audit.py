"""``GET /api/audit``: the records of what people and systems did to the relay, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.audit import AUDIT_FILTERS, AUDIT_SCHEMA, Action, resource
from shared.core.basics.json_schema import Validator
from shared.core.delivery.outcome_filter import PAGING
from shared.service.audit import Audit
from shared.service.ports.audit import AuditFilter
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import as_json, operation, parameter
from shared.web.openapi.schemas import Schema, page_of, ref
from shared.web.paging import page_response
from shared.web.query import list_values, moment

_ROUTE = "/api/audit"
_QUERY = Validator(
    {"type": "object", "properties": AUDIT_FILTERS | PAGING, "additionalProperties": False},
    unknown=f"not a parameter; known are {', '.join(AUDIT_FILTERS | PAGING)}",
)


@dataclass(frozen=True)
class AuditApi:
    """The list of records."""

    audit: Audit
    callers: Callers

    @endpoint
    def list_audit(self, request: func.HttpRequest) -> func.HttpResponse:
        """List what was done to the relay, newest first.

        Cancels, replays, erasures, probes, and what was done to pauses, each with its caller and what came of it; no
        personal data. A page may hold fewer than `top`. `nextLink` leads to the next page and is missing on the last.
        """
        values = list_values(request, _QUERY)
        wanted = AuditFilter(
            action=Action(values["action"]) if "action" in values else None,
            created_after=moment(values.get("createdAfter")),
            created_before=moment(values.get("createdBefore")),
        )
        page = self.audit.list(wanted, values["top"], values["continuation"])
        value = [resource(record) for record in page.found]
        return page_response(request, self.callers.base(request) + _ROUTE, value, page.continuation)


SCHEMAS: Final[Mapping[str, Schema]] = {"AuditRecord": AUDIT_SCHEMA, "AuditList": page_of("AuditRecord")}
EXAMPLE: Final[Schema] = {
    "id": "01932c5e-8f3b-7d02-9c11-0a1b2c3d4e5f",
    "createdDateTime": "2026-11-23T20:30:00.123Z",
    "action": "cancel",
    "by": "8d3f2c11-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "target": "01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a",
    "result": "succeeded",
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/audit": {
        "get": operation(
            AuditApi.list_audit,
            "Operations",
            {200: as_json(ref("AuditList"), "A page.")},
            400,
            parameters=[
                parameter(name, schema, "query", schema["description"])
                for name, schema in (AUDIT_FILTERS | PAGING).items()
            ],
        ),
    },
}
