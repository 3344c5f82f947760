"""What a function's answer becomes on the wire."""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import HttpVersion11, hdrs, web

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_TEXT = "text/plain; charset=utf-8"
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED})
_SAME_SITE = {1: "lax", 2: "strict", 3: "none"}


async def answer(request: web.BaseRequest, value: Any) -> web.StreamResponse:
    """Write what a function returned; ``value`` is a ``TypedData``, or None."""
    if value is None:
        return await _write(request, web.StreamResponse(status=HTTPStatus.NO_CONTENT), b"")
    if value.WhichOneof("data") != "http":
        text = str(next(iter(value.__dict__.values()))).encode()
        return await _write(request, web.StreamResponse(headers={hdrs.CONTENT_TYPE: _TEXT}), text)
    headers = _headers(value.http)
    body = _bytes(value.http.body)
    if headers is None or int(headers.get("content-length", len(body))) < len(body):
        return await empty(request, HTTPStatus.INTERNAL_SERVER_ERROR, close=headers is not None)
    response = web.StreamResponse(status=int(value.http.status_code), headers=headers)
    for cookie in value.http.cookies or ():
        response.headers.add(hdrs.SET_COOKIE, _cookie(cookie))
    return await _write(request, response, body)


async def empty(request: web.BaseRequest, status: int, *, close: bool = False) -> web.StreamResponse:
    """Answer without a body, as the host does where no function answers."""
    response = web.StreamResponse(status=status)
    if close:
        response.force_close()
    return await _write(request, response, b"")


async def _write(request: web.BaseRequest, response: web.StreamResponse, body: bytes) -> web.StreamResponse:
    """Write a whole answer: in chunks, as the host does, without a length of its own unless it is empty."""
    bodiless = response.status in _BODILESS or 100 <= response.status < 200
    if request.version < HttpVersion11 or (body and response.status in _BODILESS):
        response.force_close()
    if not body and not bodiless and request.method != hdrs.METH_HEAD and hdrs.CONTENT_LENGTH not in response.headers:
        response.content_length = 0
    if response.headers.get(hdrs.CONNECTION, "").lower() == "close":
        response.force_close()
    await response.prepare(request)
    if body and not bodiless and request.method != hdrs.METH_HEAD:
        await response.write(body)
    await response.write_eof()
    return response


def _headers(http: Any) -> dict[str, str] | None:
    """Return the headers by name in lower case, the last of a name; None where Kestrel refuses one."""
    found = {str(name).lower(): str(text) for name, text in http.headers.items()}
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(text) for name, text in found.items()):
        return None
    if not found.get("content-type"):
        found.pop("content-type", None)
    return found


def _bytes(body: Any) -> bytes:
    content = next(iter(body.__dict__.values()), b"") if body is not None else b""
    return content.encode() if isinstance(content, str) else bytes(content)


def _cookie(cookie: Any) -> str:
    """Return a cookie as the host rewrites it: every one with a domain and a path, unknown attributes lost."""
    parts = [f"{cookie.name}={quote(cookie.value, safe='')}"]
    if cookie.max_age is not None:
        parts.append(f"max-age={int(cookie.max_age.value)}")
    if cookie.expires is not None:
        expires = datetime.fromtimestamp(cookie.expires.value.seconds, UTC)
        parts.append(f"expires={format_datetime(expires, usegmt=True)}")
    parts += [f"domain={cookie.domain.value}", f"path={cookie.path.value}"]
    if cookie.secure is not None and cookie.secure.value:
        parts.append("secure")
    if cookie.same_site in _SAME_SITE:
        parts.append(f"samesite={_SAME_SITE[cookie.same_site]}")
    if cookie.http_only is not None and cookie.http_only.value:
        parts.append("httponly")
    return "; ".join(parts)
