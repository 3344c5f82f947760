"""The parts that operations of the OpenAPI document are made of."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.core.delivery.outcome_filter import FILTERS, PAGING
from shared.web.openapi.schemas import Schema, ref
from shared.web.response import PROBLEM_TYPE
from shared.web.waiting import MAX_WAIT_SECONDS

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
TEXT = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[ -~]+$"}
STRING_HEADER: Schema = {"schema": {"type": "string"}}
SECONDS_HEADER: Schema = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds."}
LOCATED: Schema = {
    "Location": {"schema": {"type": "string", "format": "uri"}},
    "Operation-Location": {"schema": {"type": "string", "format": "uri"}},
    "Retry-After": SECONDS_HEADER,
    "Preference-Applied": STRING_HEADER,
    "Idempotency-Replayed": STRING_HEADER,
}
ANYONE: list[Schema] = [{}]
UNCHANGED: Schema = {"description": "As `If-None-Match` knows it."}


def parameter(name: str, schema: Schema, where: str = "query", **rest: Any) -> Schema:
    """A parameter."""
    return {"name": name, "in": where, "required": where == "path", "schema": schema, **rest}


ID = parameter("id", {"type": "string", "format": "uuid"}, "path")
PREFER = parameter(
    "Prefer",
    {"type": "string", "examples": ["wait=10"]},
    "header",
    description=f"RFC 7240: `wait=N` answers when the update is final, or after N seconds (at most "
    f"{MAX_WAIT_SECONDS}).",
)
KEY = parameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "header",
    description="Quoted or bare; the same key and payload make one update.",
)
#: Of an operation that takes a while, and can be asked about.
FOLLOWED: Schema = {name: LOCATED[name] for name in ("Location", "Operation-Location", "Retry-After")}
LIST = [parameter(name, schema) for name, schema in (FILTERS | PAGING).items()]


def as_json(schema: Schema, description: str, headers: Schema | None = None) -> Schema:
    """A JSON answer."""
    said: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": schema}}}
    return said | ({"headers": headers} if headers else {})


def file(media_type: str, description: str) -> Schema:
    """A file, with its tag."""
    headers = {"ETag": STRING_HEADER, "Cache-Control": STRING_HEADER}
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}, "headers": headers}


def operation(summary: str, responses: Mapping[int, Schema], *faults: int, **rest: Any) -> Schema:
    """An operation with its answers and the problems it may meet."""
    more = (500,) if HTTPStatus.SERVICE_UNAVAILABLE in responses else (500, 503)
    problems = {
        str(status): {
            "description": _REASONS[status],
            "content": {PROBLEM_TYPE: {"schema": ref("Problem")}},
        }
        for status in (*faults, *more)
    }
    every = {str(status): response for status, response in responses.items()} | problems
    return {"summary": summary, "responses": dict(sorted(every.items())), **rest}


def body(schema: Schema, media_type: str = "application/json", **rest: Any) -> Schema:
    """A required body."""
    return {"required": True, "content": {media_type: {"schema": schema, **rest}}}
