"""``GET /api/audit``: the records of what people and systems did to the relay, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.audit import Action, resource
from shared.core.basics.formats import formatted
from shared.core.basics.json_schema import Schema
from shared.core.delivery.outcome_filter import PAGING
from shared.service.audit import Audit
from shared.service.ports.audit import AuditFilter
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.paging import page_response
from shared.web.query import list_values, moment

_ROUTE = "/api/audit"
#: The list's filters, as the OpenAPI document shows them.
AUDIT_FILTERS: Final[dict[str, Mapping[str, Any]]] = {
    "action": {"type": "string", "enum": tuple(Action), "description": "What was done."},
    "createdAfter": formatted("date-time-any-offset", description="Begun at this time or later."),
    "createdBefore": formatted("date-time-any-offset", description="Begun before this time."),
}
_QUERY = Schema(
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
        """Return a page of records. Raise a problem that names every bad parameter."""
        values = list_values(request, _QUERY)
        wanted = AuditFilter(
            action=Action(values["action"]) if "action" in values else None,
            created_after=moment(values.get("createdAfter")),
            created_before=moment(values.get("createdBefore")),
        )
        page = self.audit.list(wanted, values["top"], values["continuation"])
        value = [resource(record) for record in page.found]
        return page_response(request, self.callers.base(request) + _ROUTE, value, page.continuation)
