"""The ways in which Graph fails (facts F1-F15), each a small answer of its own."""

import asyncio
import json
import socket
import struct
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from emulator.graph_rules import error_body

type Fault = dict[str, Any]
type Apply = Callable[[], Awaitable[web.StreamResponse]]
KINDS = frozenset(
    {
        "status", "throttle", "intuneNested", "noRoute", "reset", "resetAfterApply", "hang", "applyAfter", "drip",
        "garbage", "html", "empty", "huge", "redirect", "truncated",
    }
)  # fmt: skip


async def failing(fault: Fault, request: web.Request, apply: Apply) -> web.StreamResponse:
    """The answer that this fault gives; ``apply`` does what the request asked."""
    return await _ANSWERS[fault["kind"]](fault, request, apply)


def error(request: web.Request, status: int, code: str, message: str, retry_after: str | None = None) -> web.Response:
    """A Graph error with its headers."""
    headers = {"request-id": str(uuid.uuid4())} | ({"Retry-After": retry_after} if retry_after else {})
    return web.json_response(error_body(code, message, request), status=status, headers=headers)


async def _status(fault: Fault, request: web.Request, _apply: Apply) -> web.StreamResponse:
    if fault.get("body") is not None:
        headers = {"Retry-After": fault["retryAfter"]} if fault.get("retryAfter") else {}
        return web.Response(status=fault["status"], text=fault["body"], headers=headers)
    return error(
        request, fault["status"], fault.get("code", "UnknownError"), fault.get("message", "As told."),
        fault.get("retryAfter"),
    )  # fmt: skip


async def throttled(fault: Fault, request: web.Request, _apply: Apply) -> web.StreamResponse:
    """F7: with Retry-After or, as Intune often does, without."""
    return error(request, 429, "TooManyRequests", "Please retry again later.", fault.get("retryAfter"))


async def _nested(fault: Fault, request: web.Request, _apply: Apply) -> web.StreamResponse:
    """F14: JSON inside the message, twice if asked."""
    activity = request.headers.get("client-request-id", "")
    inner: dict[str, Any] = {
        "_version": 3,
        "Message": f"{fault.get('message', 'An error has occurred')} - Operation ID (for customer support): "
        f"{uuid.UUID(int=0)} - Activity ID: {activity} - Url: https://fef.msub01.manage.microsoft.com/DeviceConfig",
        "CustomApiErrorPhrase": "",
        "RetryAfter": fault.get("retryAfter"),
        "ErrorSourceService": "",
        "HttpHeaders": "{}",
    }
    if fault.get("levels", 2) > 2:
        inner = {"ErrorCode": fault.get("code", "Forbidden"), "Message": json.dumps(inner), "Target": None}
    return error(request, fault.get("status", 400), fault.get("code", "BadRequest"), json.dumps(inner))


async def _no_route(_fault: Fault, request: web.Request, _apply: Apply) -> web.StreamResponse:
    said = (
        "No OData route exists that match template ~/singleton/navigation/key/navigation/key with http verb PATCH for "
        "request /StatelessDeviceConfigurationFEService/deviceManagement/deviceCompliancePolicies."
    )
    return error(request, 400, "No method match route template", said)


async def _reset(_fault: Fault, request: web.Request, _apply: Apply) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


async def _reset_after(fault: Fault, request: web.Request, apply: Apply) -> web.StreamResponse:
    await apply()
    return await _reset(fault, request, apply)


async def _hang(fault: Fault, _request: web.Request, _apply: Apply) -> web.StreamResponse:
    await asyncio.sleep(fault.get("seconds", 3600))
    return web.Response(status=504)


async def _apply_after(fault: Fault, _request: web.Request, apply: Apply) -> web.StreamResponse:
    async def late() -> web.StreamResponse:
        await asyncio.sleep(fault.get("seconds", 5))
        return await apply()

    return await asyncio.shield(asyncio.ensure_future(late()))


async def _drip(fault: Fault, request: web.Request, _apply: Apply) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(3600):
        await response.write(b" ")
        await asyncio.sleep(fault.get("seconds", 0.5))
    return response


async def _garbage(_fault: Fault, _request: web.Request, apply: Apply) -> web.StreamResponse:
    await apply()
    return web.Response(text="<<< this is not JSON >>>", content_type="application/json")


async def _html(fault: Fault, _request: web.Request, _apply: Apply) -> web.StreamResponse:
    return web.Response(
        status=fault.get("status", 502), text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html"
    )


async def _empty(_fault: Fault, _request: web.Request, apply: Apply) -> web.StreamResponse:
    await apply()
    return web.Response(status=204)


async def _huge(fault: Fault, _request: web.Request, _apply: Apply) -> web.StreamResponse:
    return web.Response(status=fault.get("status", 500), body=b"x" * 5_000_000, content_type="text/plain")


async def _redirect(fault: Fault, _request: web.Request, _apply: Apply) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": fault.get("location", "http://127.0.0.2:9/elsewhere")})


async def _truncated(_fault: Fault, request: web.Request, apply: Apply) -> web.StreamResponse:
    await apply()
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": "half')
    if request.transport is not None:
        request.transport.close()
    return response


_ANSWERS: dict[str, Callable[[Fault, web.Request, Apply], Awaitable[web.StreamResponse]]] = {
    "status": _status, "throttle": throttled, "intuneNested": _nested, "noRoute": _no_route, "reset": _reset,
    "resetAfterApply": _reset_after, "hang": _hang, "applyAfter": _apply_after, "drip": _drip, "garbage": _garbage,
    "html": _html, "empty": _empty, "huge": _huge, "redirect": _redirect, "truncated": _truncated,
}  # fmt: skip
