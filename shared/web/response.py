"""Answers and problems: JSON bodies, RFC 9457 problem details, and the headers that every answer carries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.strict_json import Fault

PROBLEM_TYPE = "application/problem+json"
#: Every kind of problem, by the slug that ends its ``type``, and the status it comes with.
PROBLEMS: Mapping[str, int] = {
    "invalidMessage": 400,
    "invalidQuery": 400,
    "invalidIdempotencyKey": 400,
    "unauthorized": 401,
    "unauthenticated": 401,
    "forbidden": 403,
    "crossSiteRequest": 403,
    "notFound": 404,
    "methodNotAllowed": 405,
    "tooLate": 409,
    "tooManyPauses": 409,
    "notReplayable": 409,
    "lengthRequired": 411,
    "tooLarge": 413,
    "notJson": 415,
    "contentEncoding": 415,
    "idempotencyKeyConflict": 422,
    "unexpected": 500,
    "storageUnavailable": 503,
}
#: What each 401 asks for (RFC 9110, WWW-Authenticate).
_CHALLENGES = {"unauthorized": "Webhook-Signature", "unauthenticated": "Bearer"}
PROBLEM_URN = "urn:compliance-status-relay:problem:"
_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@dataclass
class Problem(Exception):
    """An error of ours that ends a request; ``slug`` is one of ``PROBLEMS``, ``detail`` is about this occurrence."""

    slug: str
    detail: str
    errors: Sequence[Fault] = ()
    retry_after: int | None = None
    allow: Sequence[str] = ()

    @property
    def status(self) -> int:
        """The HTTP status of its kind."""
        return PROBLEMS[self.slug]


def json_response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Return a JSON answer."""
    return _response(status, body, "application/json", headers or {})


def empty_response(status: int) -> func.HttpResponse:
    """Return an answer without a body."""
    return func.HttpResponse(b"", status_code=status, headers=dict(_ALWAYS))


def problem(problem: Problem, instance: str) -> func.HttpResponse:
    """Return problem details (RFC 9457); ``errors`` only where members of the request are to blame."""
    members: dict[str, Any] = {
        "type": PROBLEM_URN + problem.slug,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
    }
    if problem.errors:
        members["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in problem.errors]
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else {}
    if problem.allow:
        headers["Allow"] = ", ".join(problem.allow)
    if problem.slug in _CHALLENGES:
        headers["WWW-Authenticate"] = _CHALLENGES[problem.slug]
    return _response(problem.status, members, PROBLEM_TYPE, headers)


def _response(status: int, body: Any, mimetype: str, headers: Mapping[str, str]) -> func.HttpResponse:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return func.HttpResponse(text, status_code=status, headers=_ALWAYS | dict(headers), mimetype=mimetype)
