"""The filters of a list of updates, stated once: what each accepts.

The list's query, a replay's JSON, the OpenAPI document, the command line and the dashboard read them here.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.core.basics.formats import formatted
from shared.core.delivery.outcome import State
from shared.core.delivery.resource import ERROR_CODES
from shared.core.intake.limits import DEFAULT_TOP, MAX_TOP
from shared.core.intake.update_schema import (
    KEY_SCHEMA,
    POLICY_ID_SCHEMA,
    PRIORITIES,
    SOURCE_SCHEMA,
    USER_STATUS_ID_SCHEMA,
)

STATUSES: Final = tuple(dict.fromkeys(state.status for state in State))
STATUS_DETAILS: Final = tuple(state.detail for state in State if state.detail)
#: By the name of each filter. One that can match nothing is a fault, so that a typing error is noticed.
FILTERS: Final[dict[str, Mapping[str, Any]]] = {
    "status": {"type": "string", "enum": STATUSES, "description": "What the update is in, or ended in."},
    "statusDetail": {"type": "string", "enum": STATUS_DETAILS, "description": "The status in more detail."},
    "errorCode": {"type": "string", "enum": ERROR_CODES, "description": "The code of its error, or of its last fault."},
    "priority": {"type": "string", "enum": PRIORITIES, "description": "The lane of the quota."},
    "deviceCompliancePolicyId": {**POLICY_ID_SCHEMA, "description": "The policy, in either case."},
    "deviceComplianceUserStatusId": {**USER_STATUS_ID_SCHEMA, "description": "The user status."},
    "source": {**SOURCE_SCHEMA, "description": "Who sent the update."},
    "idempotencyKey": {**KEY_SCHEMA, "description": "The key that the update was sent under."},
    "createdAfter": formatted("date-time-any-offset", description="Accepted at this time or later."),
    "createdBefore": formatted("date-time-any-offset", description="Accepted before this time."),
}
#: What a list takes beside the filters.
PAGING: Final[dict[str, Mapping[str, Any]]] = {
    "top": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_TOP,
        "default": DEFAULT_TOP,
        "description": "The most updates on a page; a page may hold fewer.",
    },
    "continuation": {
        "type": "string",
        "minLength": 1,
        "maxLength": 1024,
        "pattern": "^[ -~]+$",
        "x-accepts": "a continuation of a nextLink",
        "description": "Where the next page begins: only ever from a `nextLink`.",
    },
}
