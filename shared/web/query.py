"""The filters of a list and of a replay: read from a query or from JSON, every fault named at once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.json_schema import Validator
from shared.core.basics.strict_json import Fault, InvalidMessage, pointer
from shared.core.basics.timestamp import MAX_FILTER_OFFSET, ticks
from shared.core.delivery.outcome import State
from shared.core.delivery.outcome_filter import FILTERS, PAGING
from shared.core.intake.limits import DEFAULT_TOP, MAX_TOP
from shared.service.ports.storage import OutcomeFilter
from shared.web.request import malformed
from shared.web.response import Problem

_YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
#: The first moment that an update's id can carry.
_FIRST_ID = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = ("createdAfter", "createdBefore")
#: What the Functions host takes for itself: never repeated in a URL of ours.
_HOST_PARAMETERS = frozenset({"code", "clientid"})
#: A replay by filter, as its schema shows it.
REPLAY_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Which updates to replay: all that failed or were canceled and fit every filter given.",
    "properties": {
        **FILTERS,
        "dryRun": {"type": "boolean", "default": False, "description": "Only count, and replay nothing."},
    },
    "additionalProperties": False,
}
_QUERY = Validator(
    {"type": "object", "properties": FILTERS | PAGING, "additionalProperties": False},
    unknown=f"not a parameter; known are {', '.join(FILTERS | PAGING)}",
)
_REPLAY = Validator(REPLAY_SCHEMA, unknown=f"not a filter; known are {', '.join(REPLAY_SCHEMA['properties'])}")


def parameters(request: func.HttpRequest) -> tuple[dict[str, str], list[Fault]]:
    """Return the query's parameters without the host's own, and a fault for each name that comes more than once.

    They are read from the URL: the host drops empty values and joins repeated ones
    (docs/graph-facts.md#f74).
    """
    found: dict[str, str] = {}
    faults = []
    for name, text in parse_qsl(urlsplit(request.url).query, keep_blank_values=True):
        if name.lower() in _HOST_PARAMETERS:
            continue
        if name in found:
            faults.append(Fault(pointer(name[:40]), "comes more than once"))
        found[name] = text
    return found, faults


def list_query(request: func.HttpRequest) -> tuple[OutcomeFilter, int, str | None]:
    """Return the list's filter, ``top`` and continuation. Raise a problem that names every bad parameter."""
    values = list_values(request, _QUERY)
    return outcome_filter(values), values["top"], values["continuation"]


def list_values(request: func.HttpRequest, accepted: Validator) -> dict[str, Any]:
    """Return the parameters of a list's query, ``top`` and ``continuation`` among them.

    Raise a problem that names every bad parameter.
    """
    given, faults = parameters(request)
    values: dict[str, Any] = {name: _value(name, text) for name, text in given.items()}
    faults += [*accepted.faults(values), *_time_faults(values)]
    if faults:
        raise Problem("invalidQuery", "The query is not valid; see errors.", tuple(dict.fromkeys(faults)))
    return {"top": DEFAULT_TOP, "continuation": None} | values


def replay_filter(document: Any) -> tuple[OutcomeFilter, bool]:
    """Return the filter of a replay in JSON, and ``dryRun``. Raise a problem that names every bad member."""
    faults = tuple(dict.fromkeys([*_REPLAY.faults(document), *_time_faults(document)]))
    if faults:
        raise malformed(InvalidMessage(faults))
    return outcome_filter(document), document.get("dryRun", False)


def outcome_filter(values: Mapping[str, Any]) -> OutcomeFilter:
    """Return the filter of values that were found valid."""
    return OutcomeFilter(
        states=_states(values.get("status"), values.get("statusDetail")),
        device_compliance_policy_id=values.get("deviceCompliancePolicyId"),
        device_compliance_user_status_id=values.get("deviceComplianceUserStatusId"),
        source=values.get("source"),
        idempotency_key=values.get("idempotencyKey"),
        error_code=values.get("errorCode"),
        priority=values.get("priority"),
        created_after=moment(values.get("createdAfter")),
        created_before=moment(values.get("createdBefore")),
    )


def _time_faults(values: Any) -> list[Fault]:
    """Return the fault of a span of time in which nothing can have been accepted."""
    texts = [values.get(name) if isinstance(values, dict) else None for name in _TIMES]
    after, before = (moment(text) if isinstance(text, str) else None for text in texts)
    if after is None or before is None or after < before:
        return []
    return [Fault("/createdBefore", "must be later than createdAfter")]


def _value(name: str, text: str) -> str | int:
    if name == "top" and text.isascii() and text.isdigit() and len(text) <= len(str(MAX_TOP)):
        return int(text)
    # A "+" that was not encoded arrives as a space.
    return text.replace(" ", "+") if name in _TIMES else text


def _states(status: str | None, detail: str | None) -> tuple[State, ...] | None:
    if status is None and detail is None:
        return None
    return tuple(state for state in State if status in (None, state.status) and detail in (None, state.detail or ""))


def moment(text: str | None) -> datetime | None:
    """Return the time of a valid filter; one from before the first id is as good as the first."""
    instant = None if text is None else ticks(text, MAX_FILTER_OFFSET)
    return None if instant is None else max(_FIRST_ID, _YEAR_1 + timedelta(microseconds=instant // 10))
