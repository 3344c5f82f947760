"""What Graph said, or what happened instead, as one frozen value; reading it never fails.

Intune nests its errors: ``error.message`` is often JSON text that holds another message
(docs/graph-facts.md#f14), ``innerError`` nests under any casing (docs/graph-facts.md#f10).
At most three levels of text are opened.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

#: Bounds of what an outcome keeps of an answer.
MESSAGE_LENGTH = 2048
RESULT_BYTES = 16 * 1024
#: Nobody means to be waited for longer.
RETRY_AFTER_MAX = 24 * 3600.0
_TEXT_LEVELS = 3
_NO_ROUTE = "no method match route template"
_NO_ROUTE_MESSAGE = "no odata route exists that match template"
_URL = re.compile(r"https?://\S+")
_ACTIVITY = re.compile(r"Activity ID:\s*([0-9a-fA-F-]{36})")
_SPAN = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)(?:\.\d+)?")


class TransportFault(StrEnum):
    """Why there was no answer. Only ``unreachable`` says that the request was never sent."""

    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class GraphReply:
    """One call's end: a status, a transport fault, or no token to make it with.

    ``readable`` is False for a 2xx whose body is neither empty nor whole JSON. ``retry_after_seconds`` counts from the
    moment of the reply. ``route_missing`` is docs/graph-facts.md#f1: Intune has no code behind this PATCH.
    """

    status_code: int | None
    transport: TransportFault | None = None
    identity_fault: str | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    client_request_id: str | None = None
    activity_id: str | None = None
    date: str | None = None
    retry_after_seconds: float | None = None
    result: Mapping[str, Any] | None = None
    readable: bool = True
    route_missing: bool = False


def parse_reply(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    client_request_id: str,
    complete: bool = True,
    result_bytes: int = RESULT_BYTES,
) -> GraphReply:
    """Read an HTTP answer. ``complete`` is False when the body ended early or was longer than we read.

    A result of more than ``result_bytes`` is left out.
    """
    known = {name.lower(): text for name, text in headers.items()}
    document = _json(body)
    succeeded = 200 <= status < 300  # noqa: PLR2004 - the class of success
    said = [] if succeeded else list(_objects(document))
    codes = [code for one in said if (code := _text(one, "code", "errorcode"))]
    messages = [text for one in said if (text := _text(one, "message")) and not _opens(text)]
    everything = " ".join((*codes, *messages)).lower()
    return GraphReply(
        status_code=status,
        code=codes[-1][:200] if codes else None,
        message=_clean(messages[-1]) if messages else None,
        request_id=_short(known.get("request-id")) or _find(said, "request-id"),
        client_request_id=client_request_id,
        activity_id=_activity(messages),
        date=_short(known.get("date")),
        retry_after_seconds=_retry_after(known.get("retry-after"), said, now),
        result=_result(document, result_bytes) if succeeded else None,
        readable=not succeeded or (complete and (not body.strip() or document is not None)),
        route_missing=status == 400 and (_NO_ROUTE in everything or _NO_ROUTE_MESSAGE in everything),  # noqa: PLR2004
    )


def _json(body: bytes | str) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def _objects(document: Any) -> Iterator[Mapping[str, Any]]:
    """The error objects of an answer, outermost first, through nesting and text."""
    left = [(document, 0)]
    seen = 0
    while left and seen < 50:  # noqa: PLR2004 - real answers hold fewer than ten
        here, level = left.pop(0)
        if isinstance(here, str) and level < _TEXT_LEVELS and _opens(here):
            here, level = _json(here), level + 1
        if not isinstance(here, dict):
            continue
        seen += 1
        lowered = {str(name).lower(): value for name, value in here.items()}
        yield lowered
        left += [(lowered[name], level) for name in ("error", "message", "innererror") if name in lowered]


def _opens(text: str) -> bool:
    return text.lstrip()[:1] == "{" and isinstance(_json(text), dict)


def _text(members: Mapping[str, Any], *names: str) -> str | None:
    return next((members[name] for name in names if isinstance(members.get(name), str) and members[name]), None)


def _find(objects: list[Mapping[str, Any]], name: str) -> str | None:
    return next((_short(text) for one in objects if (text := _text(one, name))), None)


def _short(text: str | None) -> str | None:
    return text[:200] if text else None


def _clean(message: str) -> str:
    """Internal addresses may hold ids (docs/graph-facts.md#f14)."""
    return _URL.sub("[url]", message)[:MESSAGE_LENGTH].encode("utf-8", "replace").decode()


def _activity(messages: list[str]) -> str | None:
    return next((found[1] for text in messages if (found := _ACTIVITY.search(text))), None)


def _result(document: Any, most: int) -> Mapping[str, Any] | None:
    if not isinstance(document, dict):
        return None
    size = len(json.dumps(document))
    return document if size <= most else {"truncated": True, "length": size}


def _retry_after(header: str | None, said: list[Mapping[str, Any]], now: datetime) -> float | None:
    values = [header, *(one.get("retryafter") for one in said)]
    return next((seconds for value in values if (seconds := _seconds(value, now)) is not None), None)


def _seconds(value: object, now: datetime) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        seconds = _span_or_date(str(value), now)
    return min(max(seconds, 0.0), RETRY_AFTER_MAX) if seconds == seconds else None  # noqa: PLR0124 - not NaN


def _span_or_date(text: str, now: datetime) -> float:
    span = _SPAN.fullmatch(text.strip())
    if span:
        return int(span[1]) * 3600.0 + int(span[2]) * 60 + int(span[3])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return float("nan")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - now).total_seconds()
