"""Answers of Graph, and of what stands before it, as they are parsed."""

import json

from shared.core.delivery.graph_reply import GraphReply, parse_reply
from tests.builders import NOW

PAGE = b"<!DOCTYPE html><html><head><title>Sign in to\n  your account &amp; go on</title></head><body>x</body></html>"


def answer(status: int, body: object = b"", *, complete: bool = True, **headers: str) -> GraphReply:
    """Return an answer, parsed; ``body`` is bytes or a JSON document."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse_reply(status, named, raw, now=NOW, client_request_id="c", complete=complete)


def error(code: str, message: str = "An error has occurred.") -> dict[str, object]:
    """Return Graph's error object."""
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}


def nested(levels: int, code: str = "UnknownError", **members: object) -> dict[str, object]:
    """Return Intune's error (docs/graph-facts.md#f14), with JSON inside its message."""
    inner: dict[str, object] = {
        "_version": 3,
        "Message": "Broken - Operation ID (for customer support): 0 - Activity ID: 11111111-2222-3333-4444-555555555555"
        " - Url: https://fef.x.manage.microsoft.com/secret?id=7",
        "RetryAfter": None,
    } | members
    for _ in range(levels - 2):
        inner = {"ErrorCode": "Forbidden", "Message": json.dumps(inner)}
    return {"error": {"code": code, "message": json.dumps(inner), "innerError": {"request-id": "r"}}}
