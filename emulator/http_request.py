"""What a function is given of an HTTP request, as the Functions host makes it of what Kestrel and ASP.NET Core read."""

import re
import secrets
from http import HTTPStatus

from aiohttp import web

from emulator.protos import RpcHttp, TypedData

_ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_SLASH = re.compile(r"(%2[fF])")
#: What a path may hold as it is (RFC 3986: unreserved, sub-delims, ":" and "@") or escaped already, and anything else.
_IN_URL = re.compile(r"(%[0-9a-fA-F]{2}|[A-Za-z0-9\-._~!$&'()*+,;=:@/]+)|(.)", re.DOTALL)
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_HOST = re.compile(r"(?:[A-Za-z0-9.\-_]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class RefusedError(Exception):
    """Kestrel answers with this status before the host sees the request."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(status.phrase)
        self.status = status


def decoded_path(target: str) -> str:
    """Return a target's path as routes see it: an escaped slash and bytes that are no UTF-8 stay escaped.

    Raises ``RefusedError`` for a zero byte.
    """
    path = target.partition("?")[0]
    if "%00" in path:
        raise RefusedError
    pieces = _SLASH.split(path)
    return "".join(piece if at % 2 else _unescaped(piece) for at, piece in enumerate(pieces))


def query(target: str) -> dict[str, str]:
    """Return the query's parameters: names merged in any case, values joined by commas, empty ones dropped."""
    merged: dict[str, tuple[str, list[str]]] = {}
    for name, value in _pairs(target):
        values = merged.pop(name.lower(), ("", []))[1]
        merged[name.lower()] = (name, [*values, value] if value else values)
    return {name: ",".join(values) for name, values in merged.values() if values}


def first_in_query(target: str, wanted: str) -> str:
    """Return the first value of a parameter, its name in any case; empty where there is none."""
    return next((value for name, value in _pairs(target) if name.lower() == wanted), "")


def headers(request: web.BaseRequest) -> dict[str, str]:
    """Return the headers: names in lower case, values joined by commas, empty ones dropped beside others.

    Raises ``RefusedError`` for bytes that are no UTF-8, and for a Host that is none.
    """
    merged: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        merged.setdefault(name.lower(), []).append(value)
    found = {name: ",".join(value for value in values if value) for name, values in merged.items()}
    try:
        "".join(found.values()).encode()
    except UnicodeEncodeError as error:  # aiohttp keeps such bytes as lone surrogates
        raise RefusedError from error
    if not found.get("host"):
        raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR)
    if not _HOST.fullmatch(found["host"]):
        raise RefusedError
    return found


async def body(request: web.BaseRequest) -> bytes:
    """Return the body, read where there is a Content-Length: a chunked one is empty (docs/graph-facts.md#f74).

    ``100 Continue`` goes out when reading begins, not before.
    """
    if not request.content_length:
        return b""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(_CONTINUE)
    return await request.read()


async def as_rpc(request: web.BaseRequest, given: dict[str, str], params: dict[str, str]) -> RpcHttp:
    """Return the request as the worker gets it: ``given`` is ``headers()`` of it, ``params`` are its route's values."""
    target = request.raw_path
    read = await body(request)
    return RpcHttp(
        method=request.method.upper(),
        url=f"{request.scheme}://{given['host']}{_url(target)}",
        headers=given,
        params=params,
        query=query(target),
        body=TypedData(bytes=read) if read else TypedData(),
    )


def trace(request: web.BaseRequest) -> tuple[str, str]:
    """Return ``traceparent`` and ``tracestate`` of the host's own span, in the caller's trace if that is one."""
    found = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    span = secrets.token_hex(8)
    if found is None:
        return f"00-{secrets.token_hex(16)}-{span}-01", ""
    return f"00-{found[1]}-{span}-{found[2]}", request.headers.get("tracestate", "")


def _url(target: str) -> str:
    _, mark, rest = target.partition("?")
    path = _IN_URL.sub(lambda found: found[1] or _escaped(found[2]), decoded_path(target))
    return path + mark + rest.replace("#", "%23")


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _pairs(target: str) -> list[tuple[str, str]]:
    text = target.partition("?")[2].replace("+", " ")
    split = [pair.partition("=") for pair in text.split("&") if pair]
    return [(_unescaped(name), _unescaped(value)) for name, _, value in split]


def _unescaped(text: str) -> str:
    return _ESCAPES.sub(_run, text)


def _run(escapes: re.Match[str]) -> str:
    """Return a run of escapes as text; what is no UTF-8 in it stays escaped."""
    text = bytes.fromhex(escapes[0].replace("%", "")).decode("utf-8", "surrogateescape")
    return "".join(f"%{ord(char) - 0xDC00:02X}" if "\udc80" <= char <= "\udcff" else char for char in text)
