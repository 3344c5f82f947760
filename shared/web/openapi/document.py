"""``GET /api/openapi.json``: OpenAPI 3.1 of the whole API, and what it says about paths that exist."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.web.caller import Callers
from shared.web.errors import handles_errors
from shared.web.openapi.examples import EXAMPLES
from shared.web.openapi.operations import PATHS
from shared.web.openapi.schemas import SCHEMAS
from shared.web.response import Problem, json_response

_PREFIX = "/api"


def document(base_url: str) -> dict[str, Any]:
    """The whole document for one address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Compliance Status Relay",
            "version": "1.0.0",
            "description": "Carries compliance statuses of users into Microsoft Intune.",
        },
        "servers": [{"url": base_url + _PREFIX}],
        "security": [{"functionKey": []}, {"functionKeyQuery": []}],
        "paths": PATHS,
        "components": {
            "schemas": {
                name: {**schema, "examples": EXAMPLES[name]} if name in EXAMPLES else schema
                for name, schema in SCHEMAS.items()
            },
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "functionKeyQuery": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
    }


@dataclass(frozen=True)
class OpenApi:
    """The document, and the answer to whatever it does not hold."""

    callers: Callers

    @handles_errors
    def get_openapi(self, request: func.HttpRequest) -> func.HttpResponse:
        """The document."""
        return json_response(200, document(self.callers.base(request)))

    @handles_errors
    def unknown(self, request: func.HttpRequest) -> func.HttpResponse:
        """Raise a problem: 405 with the methods of a known path, else 404."""
        path = urlsplit(request.url).path
        allowed = _allowed(path)
        if allowed:
            raise Problem("methodNotAllowed", f"{path} takes {', '.join(allowed)}.", allow=allowed)
        raise Problem("notFound", f"There is no {request.method} {path}.")


def _allowed(path: str) -> list[str]:
    """Return the methods of a path, of its own template before one with a parameter in its place."""
    templates = sorted((template for template in PATHS if _is(template, path)), key=lambda text: text.count("{"))
    methods = [method.upper() for template in templates[:1] for method in PATHS[template]]
    return sorted({*methods, "HEAD"} if "GET" in methods else methods)


def _is(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(_PREFIX + template))
    return re.fullmatch(pattern + "/?", path, re.IGNORECASE) is not None
