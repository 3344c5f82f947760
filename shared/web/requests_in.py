"""Reading requests: bounded bodies, strict JSON, known query parameters, conventional headers."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.outcome import State
from shared.core.strict_json import Fault, InvalidMessage, pointer, read_json
from shared.core.timestamp import ticks
from shared.core.update import Update
from shared.service.ports import OutcomeFilter
from shared.web.answers import Problem

#: Contract section 4.
LARGEST_MESSAGE = 48 * 1024
LARGEST_BATCH = 1024 * 1024
TOP_DEFAULT, TOP_MAX = 50, 1000
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_FIRST_ID = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_KEY, _LONGEST_TEXT = 255, 1024
_HOST_PARAMETERS = frozenset({"code", "clientId"})


def json_body(request: func.HttpRequest, largest: int) -> Any:
    """The parsed body of a JSON request."""
    body = request.get_body()
    if len(body) > largest:
        raise Problem(413, "tooLarge", f"The body may hold {largest} bytes at most.")
    if not _JSON.fullmatch(request.headers.get("Content-Type", "")):
        raise Problem(415, "notJson", "The body must be application/json.")
    document = read_json(body)
    if isinstance(document, InvalidMessage):
        raise malformed(document)
    return document.value


def malformed(message: InvalidMessage) -> Problem:
    """All faults of a message at once."""
    return Problem(400, "invalidMessage", "The message is not valid; see errors.", message.faults)


def with_key(update: Update, request: func.HttpRequest) -> Update:
    """The update under the request's ``Idempotency-Key``: a quoted string (the draft's way) or a bare one."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return update
    key = _unquoted(header.strip())
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise Problem(400, "invalidIdempotencyKey", "Idempotency-Key takes 1 to 255 printable characters.")
    if update.idempotency_key not in (None, key):
        fault = Fault("/idempotencyKey", "differs from the Idempotency-Key header")
        raise Problem(400, "invalidMessage", "The message is not valid; see errors.", (fault,))
    return update.having(idempotencyKey=key)


def _unquoted(header: str) -> str:
    if len(header) > 1 and header[0] == header[-1] == '"':
        return re.sub(r"\\(.)", r"\1", header[1:-1])
    return header


def outcome_filter(query: Mapping[str, str]) -> tuple[OutcomeFilter, int, str | None]:
    """The list's filters, ``top`` and continuation; every bad parameter is named at once."""
    faults: list[Fault] = []
    read: dict[str, Any] = {}
    for name, text in query.items():
        reader = _PARAMETERS.get(name)
        if reader is None:
            if name not in _HOST_PARAMETERS:
                faults.append(Fault(pointer(name[:40]), f"not a parameter; known are {', '.join(_PARAMETERS)}"))
            continue
        value, wanted = reader(text)
        if value is None:
            faults.append(Fault(pointer(name), wanted))
        read[name] = value
    if faults:
        raise Problem(400, "invalidQuery", "The query is not valid; see errors.", faults)
    states = _states(read.get("status"), read.get("statusDetail"))
    outcomes = OutcomeFilter(
        states=states,
        device_compliance_policy_id=read.get("deviceCompliancePolicyId"),
        device_compliance_user_status_id=read.get("deviceComplianceUserStatusId"),
        source=read.get("source"),
        idempotency_key=read.get("idempotencyKey"),
        created_after=read.get("createdAfter"),
        created_before=read.get("createdBefore"),
    )
    return outcomes, read.get("top", TOP_DEFAULT), read.get("continuation")


def _states(status: str | None, detail: str | None) -> tuple[State, ...] | None:
    if status is None and detail is None:
        return None
    return tuple(state for state in State if status in (None, state.status) and detail in (None, state.detail or ""))


def _one_of(*accepted: str) -> Callable[[str], tuple[str | None, str]]:
    return lambda text: (text if text in accepted else None, f"must be one of {', '.join(accepted)}")


def _text(text: str) -> tuple[str | None, str]:
    return text if 1 <= len(
        text
    ) <= _LONGEST_TEXT and text.isprintable() else None, "must be 1 to 1024 printable characters"


def _moment(text: str) -> tuple[datetime | None, str]:
    # A "+" that was not encoded arrives as a space.
    instant = ticks(text.replace(" ", "+"))
    moment = None if instant is None else _EPOCH + timedelta(microseconds=instant // 10)
    if moment is not None and moment < _FIRST_ID:
        moment = _FIRST_ID
    return moment, "must be an RFC 3339 date-time with an offset or Z"


def _top(text: str) -> tuple[int | None, str]:
    fits = text.isascii() and text.isdigit() and len(text) <= len(str(TOP_MAX)) and 1 <= int(text) <= TOP_MAX
    return int(text) if fits else None, f"must be a whole number from 1 to {TOP_MAX}"


_PARAMETERS: dict[str, Callable[[str], tuple[Any, str]]] = {
    "status": _one_of(*dict.fromkeys(state.status for state in State)),
    "statusDetail": _one_of(*(state.detail for state in State if state.detail)),
    "deviceCompliancePolicyId": _text,
    "deviceComplianceUserStatusId": _text,
    "source": _text,
    "idempotencyKey": _text,
    "createdAfter": _moment,
    "createdBefore": _moment,
    "top": _top,
    "continuation": _text,
}
