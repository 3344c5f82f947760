"""``GET /api/openapi.json``: OpenAPI 3.1 of the whole API, and what it says about paths that exist."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.outcome import State
from shared.web.answers import PROBLEM_TYPE, Problem, answer
from shared.web.boundary import answers_problems
from shared.web.callers import Callers
from shared.web.openapi_schemas import EXAMPLE, SCHEMAS, Schema, ref
from shared.web.requests_in import TOP_DEFAULT, TOP_MAX
from shared.web.waiting import LONGEST_WAIT_SECONDS

_PREFIX = "/api"
_REASONS = {
    400: "The request is not valid; `errors` says where.",
    401: "Not signed as this source's requests are.",
    404: "There is no such thing.",
    409: "Too late, or not one of those.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The idempotency key belongs to another payload.",
    500: "A fault of the relay's own.",
    503: "Storage cannot be reached; see `Retry-After`.",
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[ -~]+$"}
_STRING_HEADER: Schema = {"schema": {"type": "string"}}
_SECONDS_HEADER: Schema = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds."}
_LOCATED: Schema = {
    "Location": {"schema": {"type": "string", "format": "uri"}},
    "Operation-Location": {"schema": {"type": "string", "format": "uri"}},
    "Retry-After": _SECONDS_HEADER,
    "Preference-Applied": _STRING_HEADER,
    "Idempotency-Replayed": _STRING_HEADER,
}
_ANYONE: list[Schema] = [{}]


def _parameter(name: str, schema: Schema, where: str = "query", **rest: Any) -> Schema:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, **rest}


_ID = _parameter("id", {"type": "string", "format": "uuid"}, "path")
_PREFER = _parameter(
    "Prefer", {"type": "string", "examples": ["wait=10"]}, "header",
    description=f"RFC 7240: `wait=N` answers when the update is final, or after N seconds (at most "
    f"{LONGEST_WAIT_SECONDS}).",
)  # fmt: skip
_KEY = _parameter(
    "Idempotency-Key", {"type": "string", "pattern": "^[!-~]{1,255}$"}, "header",
    description="Quoted or bare; the same key and payload make one update.",
)  # fmt: skip
_LIST = [
    _parameter("status", {"enum": list(dict.fromkeys(state.status for state in State))}),
    _parameter("statusDetail", {"enum": [state.detail for state in State if state.detail]}),
    *(
        _parameter(name, _TEXT)
        for name in ("deviceCompliancePolicyId", "deviceComplianceUserStatusId", "source", "idempotencyKey")
    ),
    _parameter("createdAfter", {"type": "string", "format": "date-time"}, description="Inclusive."),
    _parameter("createdBefore", {"type": "string", "format": "date-time"}, description="Exclusive."),
    _parameter("top", {"type": "integer", "minimum": 1, "maximum": TOP_MAX, "default": TOP_DEFAULT}),
    _parameter("continuation", _TEXT, description="Only ever from a `nextLink`."),
]


def _json(schema: Schema, description: str, headers: Schema | None = None) -> Schema:
    said: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": schema}}}
    return said | ({"headers": headers} if headers else {})


def _operation(summary: str, answers: Mapping[int, Schema], *faults: int, **rest: Any) -> Schema:
    more = (500,) if HTTPStatus.SERVICE_UNAVAILABLE in answers else (500, 503)
    problems = {
        str(status): {
            "description": _REASONS[status], "content": {PROBLEM_TYPE: {"schema": ref("Problem")}},
        }
        for status in (*faults, *more)
    }  # fmt: skip
    responses = {str(status): said for status, said in answers.items()} | problems
    return {"summary": summary, "responses": dict(sorted(responses.items())), **rest}


def _body(schema: Schema, media_type: str = "application/json", **rest: Any) -> Schema:
    return {"required": True, "content": {media_type: {"schema": schema, **rest}}}


_RESOURCE = ref("UpdateResource")
PATHS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/updates": {
        "post": _operation(
            "Accept an update",
            {
                202: _json(_RESOURCE, "On the queue.", _LOCATED),
                200: _json(_RESOURCE, "Final already: a repeated request, or `Prefer: wait`.", _LOCATED),
            },
            400, 413, 415, 422,
            operationId="postUpdate", parameters=[_KEY, _PREFER],
            requestBody=_body(ref("Update"), examples={"documented": {"value": EXAMPLE}}),
        ),
        "get": _operation(
            "List updates, newest first", {200: _json(ref("UpdateList"), "A page.")}, 400,
            operationId="listUpdates", parameters=_LIST,
        ),
    },
    "/updates/batch": {
        "post": _operation(
            "Accept many updates", {202: _json(ref("Verdicts"), "A verdict for each, in order.")}, 400, 413, 415,
            operationId="postBatch", parameters=[_KEY],
            requestBody=_body(ref("Batch"), examples={"one": {"value": {"updates": [EXAMPLE]}}}),
        ),
    },
    "/updates/replay": {
        "post": _operation(
            "Replay failed and canceled updates by filter",
            {
                200: _json(ref("ReplayCount"), "With `dryRun`: how many match."),
                202: _json(ref("Replayed"), "Done, as many as one call takes."),
            },
            400, 413, 415,
            operationId="replayUpdates",
            requestBody=_body(ref("ReplayFilter"), examples={"dry": {"value": {"status": "failed", "dryRun": True}}}),
        ),
    },
    "/updates/{id}": {
        "get": _operation(
            "What became of an update",
            {200: _json(_RESOURCE, "The update.", {
                "Retry-After": _SECONDS_HEADER, "Preference-Applied": _STRING_HEADER, "Vary": _STRING_HEADER,
            })},
            404, operationId="getUpdate", parameters=[_ID, _PREFER],
        ),
    },
    "/updates/{id}/cancel": {
        "post": _operation(
            "Take an update back", {200: _json(_RESOURCE, "It will not be sent.")}, 404, 409,
            operationId="cancelUpdate", parameters=[_ID],
        ),
    },
    "/updates/{id}/replay": {
        "post": _operation(
            "Replay an update that failed or was canceled", {202: _json(_RESOURCE, "The new update.", _LOCATED)},
            404, 409, operationId="replayUpdate", parameters=[_ID],
        ),
    },
    "/deviceCompliancePolicies/{p}/userStatuses/{u}": {
        "get": _operation(
            "What stands in Graph of a user status, and what waits", {200: _json(ref("UserStatus"), "By property.")},
            404, operationId="getUserStatus",
            parameters=[_parameter("p", _TEXT, "path"), _parameter("u", _TEXT, "path")],
        ),
    },
    "/webhooks/{source}": {
        "post": _operation(
            "What another system tells, in its own shape", {
                200: _json({"type": "object"}, "Event Grid's handshake: `validationResponse`."),
                202: _json(ref("Verdicts"), "A verdict for each message."),
            }, 400, 401, 413, 415,
            operationId="postWebhook", security=_ANYONE,
            parameters=[_parameter("source", _TEXT, "path")], requestBody=_body({}),
        ),
        "options": _operation(
            "CloudEvents' abuse protection handshake", {200: _json({"type": "object"}, "Allowed.", {
                "Allow": _STRING_HEADER, "WebHook-Allowed-Origin": _STRING_HEADER,
                "WebHook-Allowed-Rate": _STRING_HEADER,
            })},
            operationId="allowWebhook", security=_ANYONE,
            parameters=[
                _parameter("source", _TEXT, "path"),
                _parameter("WebHook-Request-Origin", {"type": "string"}, "header"),
                _parameter("WebHook-Request-Rate", {"type": "string"}, "header"),
            ],
        ),
    },
    "/stats": {
        "get": _operation("The last 24 hours", {200: _json(ref("Stats"), "Counts.")}, operationId="getStats"),
    },
    "/health/live": {
        "get": _operation(
            "Whether the process runs", {200: _json(ref("Live"), "It does.")}, operationId="live", security=_ANYONE,
        ),
    },
    "/health/ready": {
        "get": _operation(
            "Whether all around it can be used",
            {200: _json(ref("Ready"), "It can."), 503: _json(ref("Ready"), "Something is failing.")},
            operationId="ready", security=_ANYONE,
        ),
    },
    "/openapi.json": {
        "get": _operation(
            "This document", {200: _json({"type": "object"}, "OpenAPI 3.1.")}, operationId="openapi", security=_ANYONE,
        ),
    },
}  # fmt: skip


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
            "schemas": SCHEMAS,
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

    @answers_problems
    def get_openapi(self, request: func.HttpRequest) -> func.HttpResponse:
        """The document."""
        return answer(200, document(self.callers.base(request)))

    @answers_problems
    def unknown(self, request: func.HttpRequest) -> func.HttpResponse:
        """405 for another method of a known path, else 404."""
        path = urlsplit(request.url).path
        allowed = [method.upper() for template, methods in PATHS.items() for method in methods if _is(template, path)]
        if allowed:
            raise Problem(405, "methodNotAllowed", f"{path} takes {', '.join(allowed)}.", allow=allowed)
        raise Problem(404, "notFound", f"There is no {request.method} {path}.")


def _is(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(_PREFIX + template))
    return re.fullmatch(pattern + "/?", path, re.IGNORECASE) is not None
