"""The HTTP trigger: a request's route, its key, its function, its answer; everything else is 404 without a body."""

import asyncio
import hmac
import logging
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import HttpVersion10, HttpVersion11, web

from emulator import http_request, http_response, sign_in
from emulator.http_routes import Route, reserved, routes
from emulator.protos import TypedData
from emulator.runtime import Function, InvocationError, invoke

log = logging.getLogger("host.http")

#: The host's limit of a body (docs/graph-facts.md#f56), and Kestrel's of a request's head.
_MAX_BODY_BYTES = 100 * 1024 * 1024
_MAX_HEAD_BYTES = 32 * 1024
_MAX_HEADERS = 100


@dataclass(frozen=True)
class Keys:
    """What opens functions: without a function key nothing is locked, as under ``func start``."""

    function: str | None = None
    master: str | None = None

    def open(self, level: str, request: web.BaseRequest) -> bool:
        """Return whether the request may call a function of this level: by its header, or else by ``code``."""
        if self.function is None or level == "anonymous":
            return True
        header = request.headers.get("x-functions-key")
        given = http_request.first_in_query(request.raw_path, "code") if header is None else header
        right = (self.master,) if level == "admin" else (self.function, self.master)
        return any(key is not None and hmac.compare_digest(given.encode(), key.encode()) for key in right)


class HttpListener:
    """Answers requests with the app's HTTP functions."""

    def __init__(
        self, functions: list[Function], prefix: str, keys: Keys, *, telemetry: bool, signs_in: bool = False
    ) -> None:
        self._routes = routes(functions, prefix)
        self._keys, self._telemetry, self._signs_in = keys, telemetry, signs_in
        for function in filter(reserved, functions):
            log.error("%s: a route must not start with admin or runtime; it gets no requests", function.name)

    def server(self) -> web.Server:
        """Return what listens."""
        return _Server(self._answer, request_factory=_request, auto_decompress=False, access_log=None)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if not HttpVersion10 <= request.version <= HttpVersion11:
            return await http_response.empty(request, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, close=True)
        try:
            path = http_request.decoded_path(request.raw_path)
            given = http_request.headers(request)
            if self._signs_in:
                own = await sign_in.answer(request, path, given)
                if own is not None:
                    return own
                given = sign_in.established(given)
        except http_request.RefusedError as refused:
            return await http_response.empty(request, refused.status, close=True)
        for route in self._routes:
            params = route.match(request.method, path)
            if params is not None:
                return await self._called(route, request, given, params)
        log.info("no function has %s %s", request.method, path)
        return await http_response.empty(request, HTTPStatus.NOT_FOUND)

    async def _called(
        self, route: Route, request: web.BaseRequest, given: dict[str, str], params: dict[str, str]
    ) -> web.StreamResponse:
        level = str(route.function.trigger.get("authLevel", "function")).lower()
        if not self._keys.open(level, request):
            return await http_response.empty(request, HTTPStatus.UNAUTHORIZED)
        if (request.content_length or 0) > _MAX_BODY_BYTES:
            return await http_response.empty(request, HTTPStatus.INTERNAL_SERVER_ERROR, close=True)
        http = TypedData(http=await http_request.as_rpc(request, given, params))
        trace = http_request.trace(request) if self._telemetry else ("", "")
        try:
            value = await invoke(route.function, http, {}, trace)
        except InvocationError as error:
            log.error("%s failed: %s", route.function.name, error)
            return await http_response.empty(request, HTTPStatus.INTERNAL_SERVER_ERROR)
        return await http_response.answer(request, value)


def _request(message, payload, protocol, writer, task) -> web.BaseRequest:  # type: ignore[no-untyped-def]  # noqa: ANN001
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY_BYTES)


class _Connection(web.RequestHandler):
    """Refuse what cannot be read, without a body."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        log.info("%s of %s: %s", status, request.remote, message or exc)
        response = web.Response(status=status)
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self, loop=self._loop, max_field_size=_MAX_HEAD_BYTES, max_headers=_MAX_HEADERS, **self._kwargs
        )
