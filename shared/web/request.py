"""Reading requests: bounded bodies, strict JSON, conventional headers."""

import re
from datetime import datetime
from typing import Any

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.strict_json import Fault, InvalidMessage, read_json
from shared.core.basics.trace import Origin, read_traceparent
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.limits import MAX_KEY_LENGTH, MAX_MESSAGE_BYTES
from shared.core.intake.update import Update
from shared.web.response import Problem
from shared.web.waiting import MAX_WAIT_SECONDS

_LENGTH = re.compile(r"[0-9]+")
#: The host passes no chunked body on (docs/graph-facts.md#f74), as .NET's PostAsJsonAsync sends one.
_LENGTH_DETAIL = (
    "The body did not arrive: the request has no Content-Length. Send the body with its length and not in chunks "
    "(in .NET call LoadIntoBufferAsync on the content first)."
)
_KEY_DETAIL = (
    f"Idempotency-Key comes once, with 1 to {MAX_KEY_LENGTH} printable characters; in quotes where it holds a comma."
)
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_STRING = re.compile(r'"(?:[^"\\]|\\["\\])*"')
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_SECONDS = re.compile(r"[0-9]+")


def body_of(request: func.HttpRequest, largest: int) -> bytes:
    """Return the body. Raise a problem where it is missing, compressed or longer than ``largest`` bytes."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem("contentEncoding", "The body must not be compressed (Content-Encoding).")
    body = request.get_body()
    if not body and not _LENGTH.fullmatch(request.headers.get("Content-Length", "").strip()):
        raise Problem("lengthRequired", _LENGTH_DETAIL)
    if len(body) > largest:
        raise Problem("tooLarge", f"The body may hold {largest} bytes at most.")
    return body


def json_body(request: func.HttpRequest, largest: int) -> Any:
    """Return the parsed body of a JSON request. Raise a problem where it is none."""
    body = body_of(request, largest)
    if not _JSON.fullmatch(request.headers.get("Content-Type", "")):
        raise Problem("notJson", "The body must be application/json.")
    document = read_json(body)
    if isinstance(document, InvalidMessage):
        raise malformed(document)
    return document.value


def malformed(message: InvalidMessage) -> Problem:
    """Return the problem with all faults of a message."""
    return Problem("invalidMessage", "The message is not valid; see errors.", message.faults)


def read_update(request: func.HttpRequest, now: datetime) -> Update:
    """Return the update that a request brings, under its key. Raise a problem with all faults where it is not valid."""
    key = idempotency_key(request)
    update = parse_message(json_body(request, MAX_MESSAGE_BYTES), idempotency_key=key, now=now)
    if isinstance(update, InvalidMessage):
        raise malformed(update)
    return with_key(update, key)


def idempotency_key(request: func.HttpRequest) -> str | None:
    """Return the request's ``Idempotency-Key``: a quoted string (the draft's way) or a bare one.

    A bare one holds no comma: the host joins two headers by one (docs/graph-facts.md#f74).
    """
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    key = _unquoted(header.strip())
    if key is None or not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise Problem("invalidIdempotencyKey", _KEY_DETAIL)
    return key


def with_key(update: Update, key: str | None) -> Update:
    """Return the update under the request's key. Raise a problem where it has another."""
    if key is None:
        return update
    if update.idempotency_key not in (None, key):
        fault = Fault("/idempotencyKey", "differs from the Idempotency-Key header")
        raise Problem("invalidMessage", "The message is not valid; see errors.", (fault,))
    return update.having(idempotencyKey=key)


def preferred_wait(request: func.HttpRequest) -> int | None:
    """Return the seconds of ``Prefer: wait=N`` that are granted (RFC 7240: the first counts); all else is ignored."""
    for preference in _PREFERENCE.findall(request.headers.get("Prefer", "")):
        name, _, text = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            seconds = text.strip().strip('"')
            return min(int(seconds[:9]), MAX_WAIT_SECONDS) if _SECONDS.fullmatch(seconds) else None
    return None


def _unquoted(header: str) -> str | None:
    """Return what an RFC 8941 string or a bare key holds; None where it is neither."""
    if not header.startswith('"'):
        return None if "," in header else header
    return re.sub(r"\\(.)", r"\1", header[1:-1]) if _STRING.fullmatch(header) else None


def origin_of(request: func.HttpRequest, invocation: str | None) -> Origin:
    """Return the trace contexts around a request: its own header's, and the host's span's."""
    return Origin(read_traceparent(request.headers.get("traceparent")), read_traceparent(invocation))
