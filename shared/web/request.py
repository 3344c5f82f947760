"""Reading requests: bounded bodies, strict JSON, known query parameters, conventional headers."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.strict_json import Fault, InvalidMessage, pointer, read_json
from shared.core.basics.timestamp import ticks
from shared.core.basics.trace import Origin, read_traceparent
from shared.core.delivery.outcome import State
from shared.core.delivery.resource import ERROR_CODES
from shared.core.intake.update import Update, accepts_member
from shared.core.intake.update_schema import UPDATE_SCHEMA
from shared.service.ports.storage import OutcomeFilter
from shared.web.response import Problem
from shared.web.waiting import MAX_WAIT_SECONDS

#: As the API documents it.
MAX_MESSAGE_BYTES = 48 * 1024
MAX_BATCH_BYTES = 1024 * 1024
TOP_DEFAULT, TOP_MAX = 50, 1000
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_STRING = re.compile(r'"(?:[^"\\]|\\["\\])*"')
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_SECONDS = re.compile(r"[0-9]+")
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_FIRST_ID = datetime(1970, 1, 1, tzinfo=UTC)
MAX_KEY_LENGTH, _MAX_TEXT_LENGTH = 255, 1024
#: What the Functions host takes for itself: never repeated in a URL of ours.
_HOST_PARAMETERS = frozenset({"code", "clientid"})


def is_ours(parameter: str) -> bool:
    """Whether a query parameter is the API's, and not the host's."""
    return parameter.lower() not in _HOST_PARAMETERS


def body_of(request: func.HttpRequest, largest: int) -> bytes:
    """The body, bounded before anyone parses it, and taken as it is: what a compressed one holds has no bound."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem(415, "contentEncoding", "The body must not be compressed (Content-Encoding).")
    body = request.get_body()
    if len(body) > largest:
        raise Problem(413, "tooLarge", f"The body may hold {largest} bytes at most.")
    return body


def json_body(request: func.HttpRequest, largest: int) -> Any:
    """The parsed body of a JSON request."""
    body = body_of(request, largest)
    if not _JSON.fullmatch(request.headers.get("Content-Type", "")):
        raise Problem(415, "notJson", "The body must be application/json.")
    document = read_json(body)
    if isinstance(document, InvalidMessage):
        raise malformed(document)
    return document.value


def malformed(message: InvalidMessage) -> Problem:
    """All faults of a message at once."""
    return Problem(400, "invalidMessage", "The message is not valid; see errors.", message.faults)


def idempotency_key(request: func.HttpRequest) -> str | None:
    """The request's ``Idempotency-Key``: a quoted string (the draft's way) or a bare one (docs/graph-facts.md#f49)."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    key = _unquoted(header.strip())
    if key is None or not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise Problem(
            400, "invalidIdempotencyKey", "Idempotency-Key takes 1 to 255 printable characters, bare or as a string."
        )
    return key


def with_key(update: Update, key: str | None) -> Update:
    """The update under the request's key."""
    if key is None:
        return update
    if update.idempotency_key not in (None, key):
        fault = Fault("/idempotencyKey", "differs from the Idempotency-Key header")
        raise Problem(400, "invalidMessage", "The message is not valid; see errors.", (fault,))
    return update.having(idempotencyKey=key)


def preferred_wait(request: func.HttpRequest) -> int | None:
    """Seconds of ``Prefer: wait=N`` (RFC 7240: the first one counts), as many as we grant; the rest is ignored."""
    for preference in _PREFERENCE.findall(request.headers.get("Prefer", "")):
        name, _, text = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            seconds = text.strip().strip('"')
            return min(int(seconds[:9]), MAX_WAIT_SECONDS) if _SECONDS.fullmatch(seconds) else None
    return None


def _unquoted(header: str) -> str | None:
    """What an RFC 8941 string or a bare key holds; None for a string that is none."""
    if not header.startswith('"'):
        return header
    return re.sub(r"\\(.)", r"\1", header[1:-1]) if _STRING.fullmatch(header) else None


def outcome_filter(query: Mapping[str, str]) -> tuple[OutcomeFilter, int, str | None]:
    """The list's filters, ``top`` and continuation; every bad parameter is named at once."""
    read, faults = _read({name: text for name, text in query.items() if is_ours(name)}, _FILTERS | _PAGING)
    if faults:
        raise Problem(400, "invalidQuery", "The query is not valid; see errors.", faults)
    return _filter(read), read.get("top", TOP_DEFAULT), read.get("continuation")


def replay_filter(document: Any) -> tuple[OutcomeFilter, bool]:
    """The list's filters in JSON, and ``dryRun``."""
    if not isinstance(document, dict):
        raise malformed(InvalidMessage((Fault("", "must be a JSON object of filters and dryRun"),)))
    filters = {name: text for name, text in document.items() if name != "dryRun"}
    read, faults = _read(filters, _FILTERS)
    dry_run = document.get("dryRun", False)
    if not isinstance(dry_run, bool):
        faults.append(Fault("/dryRun", "must be true or false"))
    if faults:
        raise malformed(InvalidMessage(tuple(faults)))
    return _filter(read), dry_run


type _Reader = Callable[[str], tuple[Any, str]]


def _read(given: Mapping[str, Any], readers: Mapping[str, _Reader]) -> tuple[dict[str, Any], list[Fault]]:
    faults: list[Fault] = []
    read: dict[str, Any] = {}
    for name, text in given.items():
        if name not in readers:
            faults.append(Fault(pointer(name[:40]), f"not a parameter; known are {', '.join(readers)}"))
            continue
        value, wanted = readers[name](text) if isinstance(text, str) else (None, "must be a string")
        if value is None:
            faults.append(Fault(pointer(name), wanted))
        read[name] = value
    after, before = read.get("createdAfter"), read.get("createdBefore")
    if after is not None and before is not None and after >= before:
        faults.append(Fault("/createdBefore", "must be later than createdAfter"))
    return read, faults


def _filter(read: Mapping[str, Any]) -> OutcomeFilter:
    return OutcomeFilter(
        states=_states(read.get("status"), read.get("statusDetail")),
        device_compliance_policy_id=read.get("deviceCompliancePolicyId"),
        device_compliance_user_status_id=read.get("deviceComplianceUserStatusId"),
        source=read.get("source"),
        idempotency_key=read.get("idempotencyKey"),
        error_code=read.get("errorCode"),
        created_after=read.get("createdAfter"),
        created_before=read.get("createdBefore"),
    )


def _states(status: str | None, detail: str | None) -> tuple[State, ...] | None:
    if status is None and detail is None:
        return None
    return tuple(state for state in State if status in (None, state.status) and detail in (None, state.detail or ""))


def _one_of(*accepted: str) -> Callable[[str], tuple[str | None, str]]:
    return lambda text: (text if text in accepted else None, f"must be one of {', '.join(accepted)}")


def _member(name: str, accepted: str) -> _Reader:
    """Read what a message may hold in that member: nothing else can match."""
    return lambda text: (text if accepts_member(name, text) else None, f"must be {accepted}")


def _text(text: str) -> tuple[str | None, str]:
    return text if 1 <= len(
        text
    ) <= _MAX_TEXT_LENGTH and text.isprintable() else None, "must be 1 to 1024 printable characters"


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


_FILTERS: dict[str, _Reader] = {
    "status": _one_of(*dict.fromkeys(state.status for state in State)),
    "statusDetail": _one_of(*(state.detail for state in State if state.detail)),
    "errorCode": _one_of(*ERROR_CODES),
    **{
        name: _member(name, rule["x-accepts"])
        for name, rule in UPDATE_SCHEMA["properties"].items()
        if "x-accepts" in rule
    },
    "idempotencyKey": _member("idempotencyKey", f"1 to {MAX_KEY_LENGTH} printable characters"),
    "createdAfter": _moment,
    "createdBefore": _moment,
}
_PAGING: dict[str, _Reader] = {"top": _top, "continuation": _text}


def origin_of(request: func.HttpRequest, invocation: str | None) -> Origin:
    """The trace contexts around a request: its own header's, and the host's span's."""
    return Origin(read_traceparent(request.headers.get("traceparent")), read_traceparent(invocation))
