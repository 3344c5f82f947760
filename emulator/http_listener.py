"""The HTTP trigger: routes with their parameters, literal ones first, under the route prefix."""

import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict

from emulator.protos import RpcHttp, TypedData
from emulator.runtime import Function, InvocationError, invoke

log = logging.getLogger("host.http")

#: The real host's limit of a body (docs/graph-facts.md#f56).
_LARGEST_BODY = 100 * 1024 * 1024
_PARAMETER = re.compile(r"\{(\*?)(\w+)(?::(\w+)(?:\([^)]*\))?)?(\?)?\}")
_CONSTRAINTS = {"guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "int": r"-?\d+", "alpha": "[A-Za-z]+"}


@dataclass(frozen=True)
class Route:
    """A function's route."""

    function: Function
    methods: frozenset[str]
    pattern: re.Pattern[str]
    rank: tuple[int, ...]


class HttpListener:
    """Answers requests with the app's HTTP functions."""

    def __init__(self, functions: list[Function], prefix: str, function_key: str | None = None) -> None:
        routes = [_route(function, prefix) for function in functions]
        self._routes = sorted(routes, key=lambda route: route.rank)
        self._key = function_key

    def application(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path
        for route in self._routes:
            match = route.pattern.fullmatch(_decoded(path))
            if match and request.method in route.methods:
                if not self._may(request, route):
                    return web.Response(status=401)
                return await self._invoke(route.function, request, match.groupdict(default=""))
        log.info("no function has %s %s", request.method, path)
        return web.Response(status=404)

    def _may(self, request: web.Request, route: Route) -> bool:
        """As in Azure: the key in the header or in ``code``; locally nobody needs one, unless told otherwise."""
        level = str(route.function.trigger.get("authLevel", "function")).lower()
        given = request.headers.get("x-functions-key") or request.query.get("code")
        return self._key is None or level == "anonymous" or given == self._key

    async def _invoke(self, function: Function, request: web.Request, params: dict[str, str]) -> web.Response:
        body = await request.read()
        http = RpcHttp(
            method=request.method,
            url=str(request.url),
            headers={name.lower(): text for name, text in request.headers.items()},
            params=params,
            query=dict(request.query),
            body=TypedData(bytes=body) if body else TypedData(),
        )
        traceparent = request.headers.get("traceparent", "")
        try:
            answer = await invoke(function, TypedData(http=http), {}, traceparent)
        except InvocationError as error:
            log.error("%s failed: %s", function.name, error)
            return web.Response(status=500)
        return _response(answer)


def _decoded(raw_path: str) -> str:
    """As ASP.NET Core has it: an encoded slash separates nothing."""
    return unquote(re.sub("%2f", "%252F", raw_path, flags=re.IGNORECASE))


def _response(answer: Any) -> web.Response:
    if answer is None:
        return web.Response(status=204)
    http = answer.http
    headers = CIMultiDict((str(name), str(text)) for name, text in http.headers.items())
    body = http.body.__dict__
    content = next(iter(body.values()), b"")
    return web.Response(
        status=int(http.status_code), headers=headers, body=content.encode() if isinstance(content, str) else content
    )


def _route(function: Function, prefix: str) -> Route:
    template = (function.trigger.get("route") or function.name).strip("/")
    methods = function.trigger.get("methods") or ["GET", "POST"]
    whole = f"{prefix}/{template}".strip("/")
    pattern, at = "/", 0
    for match in _PARAMETER.finditer(whole):
        pattern += re.escape(whole[at : match.start()]) + _group(match)
        at = match.end()
    rank = tuple(_weight(part) for part in whole.split("/"))
    return Route(
        function,
        frozenset(str(method).upper() for method in methods),
        re.compile(pattern + re.escape(whole[at:]) + "/?", re.IGNORECASE),
        (*rank, 9),
    )


def _group(match: re.Match[str]) -> str:
    star, name, constraint, _ = match.groups()
    return f"(?P<{name}>{'.*' if star else _CONSTRAINTS.get(constraint or '', '[^/]+')})"


def _weight(part: str) -> int:
    if part.startswith("{*"):
        return 8
    return 1 if "{" in part else 0
