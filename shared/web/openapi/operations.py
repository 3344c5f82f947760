"""The parts that operations of the OpenAPI document are made of.

Each operation is described beside its handler; what it does is the handler's docstring.
"""

import inspect
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.core.intake.limits import MAX_KEY_LENGTH
from shared.web.authorization import ANYONE, NEEDED
from shared.web.openapi.schemas import URL, Schema, ref
from shared.web.response import PROBLEM_TYPE
from shared.web.waiting import MAX_WAIT_SECONDS

_REASONS = {
    400: "The request is not valid; `errors` says where.",
    401: "The request is not signed as this source's requests are.",
    404: "There is no such thing.",
    409: "The state that it is in does not allow it.",
    411: "The body did not arrive: it has no `Content-Length`.",
    413: "The body is too large.",
    415: "The body is not JSON, or is compressed.",
    422: "The idempotency key belongs to another payload.",
    500: "A fault of the relay's own.",
    503: "Storage cannot be reached; see `Retry-After`.",
}
_NO_KEY: Schema = {"description": "The function key is missing or wrong. The Functions host answers so, with no body."}
_BROKEN: Schema = {
    "description": "The request is no HTTP that the Functions host can read. It answers so, with no body."
}
#: What a request with a body may meet.
BODY_FAULTS = (400, 411, 413, 415)
TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[ -~]+$"}
_BARE_KEY = r"[!#-+\--~](?:[ -+\--~]{0,253}[!-+\--~])?"
_QUOTED_KEY = r'"(?:[ !#-\[\]-~]|\\["\\]){1,255}"'
_UUID: Schema = {"type": "string", "format": "uuid"}


def header(description: str, schema: Schema | None = None) -> Schema:
    """Return a header of an answer; a string unless ``schema`` says otherwise."""
    return {"description": description, "schema": schema or {"type": "string"}}


SECONDS = header("Seconds after which to ask again.", {"type": "integer", "minimum": 0})
#: Of an operation that takes a while, and can be followed.
FOLLOWED: Schema = {
    "Location": header("Where to ask for it.", URL),
    "Operation-Location": header("The same, by the name that Azure SDK pollers follow.", URL),
    "Retry-After": SECONDS,
}
APPLIED: Schema = {"Preference-Applied": header("The preference that was granted.")}
_REPEATED: Schema = {"Idempotency-Replayed": header("`true` where an earlier request with this key made the update.")}
LOCATED: Schema = {**FOLLOWED, **APPLIED, **_REPEATED}


def parameter(name: str, schema: Schema, where: str, description: str) -> Schema:
    """Return a parameter; ``where`` is path, query or header."""
    rule = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": where, "required": where == "path", "schema": rule, "description": description}


ID = parameter("id", _UUID, "path", "The id that the relay gave it.")
PREFER = parameter(
    "Prefer",
    {"type": "string", "examples": ["wait=10"]},
    "header",
    "RFC 7240: `wait=N` answers when the update is final, or after N seconds "
    f"({MAX_WAIT_SECONDS} at most). Other preferences are ignored.",
)
_BARE_KEY = r"[!#-+\--~](?:[ -+\--~]{0,253}[!-+\--~])?"
_QUOTED_KEY = r'"(?:[ !#-\[\]-~]|\\["\\]){1,255}"'
KEY = parameter(
    "Idempotency-Key",
    {"type": "string", "pattern": f"^(?:{_BARE_KEY}|{_QUOTED_KEY})$"},
    "header",
    f"1 to {MAX_KEY_LENGTH} characters: bare, without a comma; or in quotes, with a backslash before quotes and "
    "backslashes. The same key and payload make one update.",
)


def as_json(schema: Schema, description: str, headers: Schema | None = None, **rest: Any) -> Schema:
    """Return a JSON answer."""
    answer = {"description": description, "content": {"application/json": {"schema": schema}}, **rest}
    return answer | ({"headers": headers} if headers else {})


def body(schema: Schema, examples: Mapping[str, Any], **other: Schema) -> Schema:
    """Return a required body: JSON, and ``other`` schemas by the name of their CloudEvents format."""
    named = {name: {"value": example} for name, example in examples.items()}
    more = {f"application/{name.replace('_', '-')}+json": {"schema": other[name]} for name in other}
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": named}, **more}}


def link(operation_id: str, description: str) -> Schema:
    """Return a link of an answer to the operation that follows what it began, by the id in the body."""
    follow = {
        "operationId": operation_id,
        "parameters": {"id": "$response.body#/id"},
        "description": description,
    }
    return {"links": {operation_id: follow}}


def problem(description: str) -> Schema:
    """Return an answer with problem details."""
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": ref("Problem")}}}


def operation(
    handler: Any,
    tag: str,
    answers: Mapping[int, Schema],
    *faults: int,
    operation_id: str | None = None,
    **rest: Any,
) -> Schema:
    """Return the operation that a handler answers: its docstring is the description, the first line the summary.

    ``faults`` are the problems that it may meet. Whether it wants a function key is in the table of authorization.
    """
    key = NEEDED[handler.__name__] is not ANYONE
    text = inspect.cleandoc(handler.__doc__)
    head, *words = handler.__name__.split("_")
    unexpected = (500,) if HTTPStatus.SERVICE_UNAVAILABLE in answers else (500, 503)
    problems = {status: problem(_REASONS[status]) for status in (*faults, *unexpected)}
    every = {**answers, **problems, **({401: _NO_KEY} if key else {})}
    if not any(status // 100 == 4 for status in every):  # noqa: PLR2004 - client errors
        every[400] = _BROKEN
    return {
        "operationId": operation_id or head + "".join(map(str.capitalize, words)),
        "summary": text.splitlines()[0].rstrip("."),
        "description": text,
        "tags": [tag],
        "responses": {str(status): every[status] for status in sorted(every)},
        **({} if key else {"security": [{}]}),
        **rest,
    }
