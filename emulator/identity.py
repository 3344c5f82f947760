"""The App Service kind of managed identity endpoint (docs/graph-facts.md#f23), which can be asked to fail.

Tests steer it under ``/_emulator``: ``GET requests`` (``start``, ``end``, ``status``, ``query``, ``fault``),
``GET summary`` (``calls``, ``byStatus``, ``mostAtOnce``), ``DELETE requests``, ``PUT config``, and the faults
(``emulator/faults.py``; filters are ``resource`` and ``clientId``). The configuration is what a token says:

- ``roles``, ``audience`` (null: as asked), ``clientIds`` (the known ones, null: all).
- ``lifetimeSeconds``: below zero the token has expired already.
- ``expiresOn``: null for seconds since 1970, or a date format of ``strftime``.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from typing import Any

from aiohttp import web

from emulator.fault_answers import GENERAL, NoAnswer
from emulator.faults import Call, Fault, Faults, Kind
from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue

PATH = "/msi/token"
HEADER = "emulated-identity-header"
#: The date text that App Service was seen to answer: ``11/25/2026 13:00:00 +00:00``.
EXPIRES_ON_DATE = "%m/%d/%Y %H:%M:%S +00:00"


type Settings = Mapping[str, Any]


@dataclass(frozen=True)
class IdentityCall(Call):
    """A request for a token that meets a fault."""

    #: Answer with a token whose configuration is changed by these members.
    issue: Callable[[Settings], web.Response]


class Identity:
    """Its configuration, faults and requests."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = {
            "roles": [WRITE_ROLE],
            "lifetimeSeconds": 3600,
            "audience": None,
            "clientIds": None,
            "expiresOn": None,
        }
        self.faults: Faults[IdentityCall] = Faults(_kinds(frozenset(self.config)), ("resource", "clientId"))
        self.requests: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        """Return what aiohttp serves."""
        app = web.Application()
        app.router.add_get(PATH, self._answer)
        app.router.add_put("/_emulator/config", self._configure)
        app.router.add_get("/_emulator/requests", self._list)
        app.router.add_delete("/_emulator/requests", self._clear)
        app.router.add_get("/_emulator/summary", self._summary)
        self.faults.add_routes(app)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        record: dict[str, Any] = {
            "query": dict(request.query),
            "start": time.time(),
            "end": None,
            "status": None,
            "fault": None,
        }
        self.requests.append(record)
        try:
            response = await self._judged(request, record)
        finally:
            record["end"] = time.time()
        record["status"] = None if isinstance(response, NoAnswer) else response.status
        return response

    async def _judged(self, request: web.Request, record: dict[str, Any]) -> web.StreamResponse:
        if request.headers.get("X-IDENTITY-HEADER") != HEADER or request.headers.get("Metadata") != "true":
            return web.json_response({"statusCode": 401, "message": "Unauthorized"}, status=401)
        resource, client = request.query.get("resource", "").rstrip("/"), request.query.get("client_id")
        issue_ = partial(_token, self.config, resource, client)
        fault = self.faults.take({"resource": (resource,), "clientId": (client,)})
        if fault is None:
            return issue_({})
        record["fault"] = fault["kind"]
        await asyncio.sleep(fault.get("delaySeconds", 0))
        call = IdentityCall(request, partial(issue_, {}), _own_error, issue_)
        return await self.faults.kinds[fault["kind"]].answer(fault, call)

    async def _configure(self, request: web.Request) -> web.Response:
        self.config |= await request.json()
        return web.json_response(self.config)

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"value": self.requests})

    async def _clear(self, _request: web.Request) -> web.Response:
        self.requests.clear()
        return web.Response(status=204)

    async def _summary(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "calls": len(self.requests),
                "byStatus": Counter(str(call["status"]) for call in self.requests),
                "mostAtOnce": _most_at_once(self.requests),
            }
        )


def _most_at_once(requests: list[dict[str, Any]]) -> int:
    """Return the largest number of requests that were in progress at one time."""
    changes = [(call["start"], 1) for call in requests] + [(call["end"], -1) for call in requests if call["end"]]
    return max(accumulate(change for _, change in sorted(changes)), default=0)


def _token(config: Settings, resource: str, client: str | None, changes: Settings) -> web.Response:
    settings = {**config, **changes}
    known = settings["clientIds"]
    if not resource or (client and known is not None and client not in known):
        return web.json_response(_NO_IDENTITY, status=400)
    now, lifetime = time.time(), settings["lifetimeSeconds"]
    roles = settings["roles"] if resource == GRAPH_AUDIENCE else []
    expiry, form = int(now) + lifetime, settings["expiresOn"]
    return web.json_response(
        {
            "access_token": issue(settings["audience"] or resource, roles, now=now, lifetime=lifetime),
            "expires_on": datetime.fromtimestamp(expiry, UTC).strftime(form) if form else str(expiry),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client or "system-assigned",
        }
    )


def _own_error(fault: Fault) -> web.Response:
    """Return the endpoint's own error: JSON with a code, or the plain text that it was seen to send."""
    status = fault.get("status", 500)
    if "code" in fault or "message" in fault:
        words = {"error": fault.get("code", "server_error"), "error_description": fault.get("message", "")}
        return web.json_response({**words, **fault.get("members", {})}, status=status)
    return web.Response(status=status, text="unexpected error occured while fetching the AAD Token.")


async def _other_token(fault: Fault, call: IdentityCall) -> web.StreamResponse:
    return call.issue(fault)


_NO_IDENTITY = {
    "error": "invalid_scope",
    "error_description": "No User Assigned or Delegated Managed Identity found for specified "
    "ClientId/ResourceId/PrincipalId.",
}


def _kinds(configurable: frozenset[str]) -> dict[str, Kind[Any]]:
    """Return what the endpoint can be made to answer; ``token`` takes the members of the configuration."""
    token, status = Kind(_other_token, configurable), GENERAL["status"]
    return {
        **GENERAL,
        "token": token,
        "expiredToken": token.named(lifetimeSeconds=-60),
        "dateExpiry": token.named(expiresOn=EXPIRES_ON_DATE),
        "noIdentity": status.named(status=400, body=_NO_IDENTITY),
        "garbage": status.named(status=200, body="<html>not a token</html>", contentType="application/json"),
    }
