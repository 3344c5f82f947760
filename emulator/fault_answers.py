"""The answers that any HTTP service can give instead of its own: errors, foreign pages, raw bytes, or none."""

import asyncio
import base64
import json
import socket
import struct
import time
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import web

from emulator.faults import Call, Fault, Kind

_DEFAULT_SECONDS = 3600
_WORDS = frozenset(
    {
        "status",
        "code",
        "message",
        "members",
        "headers",
        "body",
        "contentType",
        "retryAfter",
        "retryAfterDate",
    }
)


class NoAnswer(web.Response):
    """Nothing more goes to the client: the connection has ended, or carried raw bytes."""


def worded(fault: Fault, call: Call) -> web.Response:
    """Return the answer that the fault describes.

    ``body`` is text, or any JSON value but null; without it the service words its own error. ``members`` are more
    top-level members of that error's body. ``retryAfter`` is the header's text or number, ``retryAfterDate`` the
    seconds from now to the date that the header names (RFC 9110, section 10.2.3).
    """
    body, status = fault.get("body"), fault.get("status", 500)
    if body is None:
        response = call.error(fault)
    else:
        is_text = isinstance(body, str)
        kind = fault.get("contentType") or ("text/plain; charset=utf-8" if is_text else "application/json")
        text = body if is_text else json.dumps(body)
        response = web.Response(status=status, body=text.encode(), headers={"Content-Type": kind})
    if fault.get("retryAfter") is not None:
        response.headers["Retry-After"] = str(fault["retryAfter"])
    if fault.get("retryAfterDate") is not None:
        response.headers["Retry-After"] = formatdate(time.time() + fault["retryAfterDate"], usegmt=True)
    response.headers.update(fault.get("headers", {}))
    return response


async def client_gone(request: web.Request, seconds: float = _DEFAULT_SECONDS) -> bool:
    """Wait until the client has closed the connection; return False when it has not within this time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while request.transport is not None and not request.transport.is_closing():
        if loop.time() >= end:
            return False
        await asyncio.sleep(0.02)
    return True


async def _status(fault: Fault, call: Call) -> web.StreamResponse:
    return worded(fault, call)


async def _html(fault: Fault, call: Call) -> web.StreamResponse:
    status = fault.get("status", 502)
    title = fault.get("title") or f"{status} {_phrase(status)}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return worded({"contentType": "text/html", **fault, "status": status, "body": page}, call)


async def _huge(fault: Fault, call: Call) -> web.StreamResponse:
    return worded({**fault, "body": "x" * fault.get("bytes", 5_000_000)}, call)


async def _redirect(fault: Fault, _call: Call) -> web.StreamResponse:
    location = fault.get("location", "http://127.0.0.2:9/elsewhere")
    return web.Response(status=fault.get("status", 302), headers={"Location": location})


async def _not_gzip(fault: Fault, call: Call) -> web.StreamResponse:
    response = worded(fault, call)
    response.headers["Content-Encoding"] = "gzip"
    return response


async def _cut(fault: Fault, call: Call) -> web.StreamResponse:
    """Send the status, all headers and half of the body, then close."""
    response = worded(fault, call)
    body = response.body if isinstance(response.body, bytes) else b""
    headers = {**response.headers, "Content-Length": str(len(body))}
    lines = [
        f"HTTP/1.1 {response.status} {_phrase(response.status)}",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    _send("\r\n".join([*lines, "", ""]).encode() + body[: len(body) // 2], call)
    return response  # for the record alone: the connection is closing, so nothing more is sent


async def _raw(fault: Fault, call: Call) -> web.StreamResponse:
    """Send these bytes and nothing else, then close; with ``keepOpen``, wait until the client closes."""
    given = fault.get("base64")
    _send(base64.b64decode(given) if given is not None else fault.get("text", "").encode(), call, close=False)
    if fault.get("keepOpen"):
        await client_gone(call.request)
    elif call.request.transport is not None:
        call.request.transport.close()
    return NoAnswer()


def _send(content: bytes, call: Call, *, close: bool = True) -> None:
    transport = call.request.transport
    if isinstance(transport, asyncio.Transport):
        transport.write(content)
        if close:
            transport.close()


async def _reset(_fault: Fault, call: Call) -> web.StreamResponse:
    transport = call.request.transport
    if isinstance(transport, asyncio.Transport):
        # With a linger time of zero the system sends RST in place of FIN.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return NoAnswer()


async def _hang(fault: Fault, call: Call) -> web.StreamResponse:
    gone = await client_gone(call.request, fault.get("seconds", _DEFAULT_SECONDS))
    return NoAnswer() if gone else web.Response(status=504)


async def _drip(fault: Fault, call: Call) -> web.StreamResponse:
    """Send a body that never ends, a blank at a time."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    while not await client_gone(call.request, fault.get("seconds", 0.5)):
        await response.write(b" ")
    return response


async def _slow(_fault: Fault, call: Call) -> web.StreamResponse:
    """Answer as usual; the fault's ``delaySeconds`` have passed."""
    return call.proceed()


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus else "Unknown"


STATUS = Kind(_status, _WORDS)
HTML = Kind(_html, _WORDS | {"title"})
CUT = Kind(_cut, _WORDS)
REDIRECT = Kind(_redirect, frozenset({"location", "status"}))

#: What every service can be made to answer.
GENERAL: dict[str, Kind[Call]] = {
    "status": STATUS,
    "html": HTML,
    "huge": Kind(_huge, _WORDS | {"bytes"}),
    "redirect": REDIRECT,
    "cut": CUT,
    "notGzip": Kind(_not_gzip, _WORDS),
    "raw": Kind(_raw, frozenset({"text", "base64", "keepOpen"})),
    "reset": Kind(_reset),
    "hang": Kind(_hang, frozenset({"seconds"})),
    "drip": Kind(_drip, frozenset({"seconds"})),
    "slow": Kind(_slow, preset={"delaySeconds": 5}),
    "firewall": STATUS.named(status=470, body="Action: Deny. Reason: No rule matched. Proceeding with default action."),
    "gateway": HTML.named(status=404, title="404 Not Found - Contoso Gateway"),
    "login": REDIRECT.named(location="https://login.contoso.example/signin?return=graph"),
    "proxy": HTML.named(status=407, title="Proxy Authentication Required", headers={"Proxy-Authenticate": "Negotiate"}),
    "plainText": STATUS.named(status=400, body="upstream connect error or disconnect/reset before headers"),
}
