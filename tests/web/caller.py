"""The HTTP face as the host calls it."""

import asyncio
import inspect
import json
from typing import Any
from urllib.parse import urlencode

import azure.functions as func

from tests.world import World

BASE = "http://relay.example"
URL = f"{BASE}/api/updates"


def request(
    method: str = "POST",
    body: Any = None,
    *,
    url: str = URL,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    **rest: Any,
) -> func.HttpRequest:
    """Return a request as the host passes it: the query is in its URL, and empty values are missing in ``params``."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", "Content-Length": str(len(raw))} | (headers or {})
    query = {name: text for name, text in (params or {}).items() if text}
    whole = f"{url}?{urlencode(params)}" if params else url
    return func.HttpRequest(method, whole, headers=all_headers, params=query, body=raw, **rest)


def route_of(policy_id: str, user_status_id: str) -> dict[str, str]:
    """Return the route parameters of a user status."""
    return {"deviceCompliancePolicyId": policy_id, "deviceComplianceUserStatusId": user_status_id}


def answered(call: Any) -> func.HttpResponse:
    """What a handler answers, on an event loop where it needs one."""
    if not inspect.isawaitable(call):
        return call

    async def awaited() -> func.HttpResponse:
        return await call

    return asyncio.run(awaited())


def ask(handler: Any, method: str = "GET", body: Any = None, **rest: Any) -> tuple[func.HttpResponse, Any]:
    """A call, its answer and the answer's JSON."""
    response = answered(handler(request(method, body, **rest)))
    return response, json.loads(response.get_body())


def post(world: World, body: Any, **headers: str) -> tuple[func.HttpResponse, Any]:
    """POST an update."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return ask(world.relay.updates.post_update, "POST", body, headers=named)


def get(world: World, update_id: str, **headers: str) -> tuple[func.HttpResponse, Any]:
    """GET an update."""
    return ask(world.relay.updates.get_update, "GET", route_params={"id": update_id}, headers=headers)


def problem(response: func.HttpResponse) -> tuple[int, str]:
    """A problem's status and kind."""
    assert response.mimetype == "application/problem+json", response.get_body()
    body = json.loads(response.get_body())
    assert body["status"] == response.status_code
    return response.status_code, body["type"].rpartition(":")[2]
