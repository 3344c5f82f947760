"""``GET /api/dashboard``: the operator's dashboard, files of a closed table; what it shows comes through the API.

The page itself holds nothing, so anyone may have it. Its policy lets it run its own modules and talk to its own origin,
and nothing else; markup can be made of text nowhere (trusted types).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.web.endpoint import endpoint
from shared.web.openapi.operations import TEXT, header, operation, parameter
from shared.web.openapi.schemas import Schema
from shared.web.response import Problem

FOLDER: Final = Path(__file__).parent / "dashboard"
INDEX: Final = "index.html"
_SCRIPT, _STYLE, _IMAGE = "text/javascript", "text/css", "image/svg+xml"
#: The only names that are ever opened; a request chooses among them.
FILES: Final[Mapping[str, str]] = {
    INDEX: "text/html",
    "style.css": _STYLE,
    "views.css": _STYLE,
    "icon.svg": _IMAGE,
    **dict.fromkeys(
        (
            "actions.js",
            "address.js",
            "advice.js",
            "api.js",
            "audit.js",
            "chart.js",
            "dialogs.js",
            "elements.js",
            "facts.js",
            "filters.js",
            "headline.js",
            "icons.js",
            "list.js",
            "live.js",
            "main.js",
            "overview.js",
            "pauses.js",
            "rules.js",
            "session.js",
            "timeline.js",
            "update.js",
            "verification.js",
            "webhooks.js",
            "words.js",
        ),
        _SCRIPT,
    ),
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
}


@dataclass(frozen=True)
class _File:
    body: bytes
    etag: str


class DashboardFiles:
    """``/api/dashboard`` and its files."""

    @endpoint
    def get_dashboard(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return the operator's dashboard.

        An empty page: what it shows comes through this API, with the operator's key. A trailing slash is redirected
        away, since the page's relative addresses would lead nowhere under it.
        """
        if urlsplit(request.url).path.endswith("/"):
            return func.HttpResponse(status_code=308, headers=_HEADERS | {"Location": "../dashboard"})
        return _answer(INDEX, request)

    @endpoint
    def get_dashboard_file(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return a file of the dashboard.

        A style sheet, a module, or the icon.
        """
        name = request.route_params["file"]
        if name not in FILES:
            raise Problem("notFound", "The dashboard has no such file.")
        return _answer(name, request)


def _answer(name: str, request: func.HttpRequest) -> func.HttpResponse:
    file = _read(name)
    headers = _HEADERS | {"ETag": file.etag}
    if _has(request.headers.get("If-None-Match", ""), file.etag):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(file.body, headers=headers, mimetype=FILES[name], charset="utf-8")


@cache
def _read(name: str) -> _File:
    """Read once a process; several threads at once would only read the same."""
    body = (FOLDER / name).read_bytes()
    return _File(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _has(if_none_match: str, etag: str) -> bool:
    """RFC 9110, weak comparison: gateways that compress weaken a tag."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


_FILE: Schema = {"ETag": header("The file's tag."), "Cache-Control": header("Ask again by the tag.")}
_UNCHANGED: Schema = {"description": "The file is the one that `If-None-Match` names."}


def _file(description: str, *media_types: str) -> Schema:
    content = {media_type: {"schema": {"type": "string"}} for media_type in media_types}
    return {"description": description, "content": content, "headers": _FILE}


OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/dashboard": {
        "get": operation(
            DashboardFiles.get_dashboard,
            "Dashboard",
            {
                200: _file("The page.", "text/html"),
                304: _UNCHANGED,
                308: {"description": "The address without its slash.", "headers": {"Location": header("It.")}},
            },
        ),
    },
    "/dashboard/{file}": {
        "get": operation(
            DashboardFiles.get_dashboard_file,
            "Dashboard",
            {200: _file("The file.", *sorted(set(FILES.values()))), 304: _UNCHANGED},
            404,
            parameters=[parameter("file", TEXT, "path", "The file's name.")],
        ),
    },
}
