"""The App Service kind of managed identity endpoint (F23), which can be told over HTTP to fail in its known ways."""

import asyncio
import time
from typing import Any

from aiohttp import web

from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue

PATH = "/msi/token"
HEADER = "emulated-identity-header"


class Identity:
    """Its configuration, faults and requests; control under ``/_emulator``."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = {
            "roles": [WRITE_ROLE], "lifetimeSeconds": 3600, "audience": None, "clientIds": None
        }  # fmt: skip
        self.faults: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application()
        app.router.add_get(PATH, self._token)
        app.router.add_put("/_emulator/config", self._configure)
        app.router.add_post("/_emulator/faults", self._add_fault)
        app.router.add_delete("/_emulator/faults", self._clear)
        app.router.add_get("/_emulator/requests", self._list)
        return app

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.requests.append({"query": dict(request.query), "at": time.time()})
        if request.headers.get("X-IDENTITY-HEADER") != HEADER or request.headers.get("Metadata") != "true":
            return web.json_response({"statusCode": 401, "message": "Unauthorized"}, status=401)
        fault = self._fault()
        if fault is not None:
            return await _failing(fault)
        client = request.query.get("client_id")
        known = self.config["clientIds"]
        if "resource" not in request.query or (client and known is not None and client not in known):
            return _no_identity()
        resource = request.query["resource"].rstrip("/")
        now, lifetime = time.time(), self.config["lifetimeSeconds"]
        roles = self.config["roles"] if resource == GRAPH_AUDIENCE else []
        token = issue(self.config["audience"] or resource, roles, now=now, lifetime=lifetime)
        return web.json_response(
            {
                "access_token": token, "expires_on": str(int(now) + lifetime), "resource": resource,
                "token_type": "Bearer", "client_id": client or "system-assigned",
            }
        )  # fmt: skip

    def _fault(self) -> dict[str, Any] | None:
        for fault in self.faults:
            if fault.get("count") is None:
                return fault
            if fault["count"] > 0:
                fault["count"] -= 1
                return fault
        return None

    async def _configure(self, request: web.Request) -> web.Response:
        self.config |= await request.json()
        return web.json_response(self.config)

    async def _add_fault(self, request: web.Request) -> web.Response:
        self.faults.append(await request.json())
        return web.json_response(self.faults)

    async def _clear(self, _request: web.Request) -> web.Response:
        self.faults.clear()
        return web.Response(status=204)

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"value": self.requests})


async def _failing(fault: dict[str, Any]) -> web.StreamResponse:
    match fault["kind"]:
        case "garbage":
            return web.Response(text="<html>not what you asked for</html>", content_type="application/json")
        case "hang":
            await asyncio.sleep(fault.get("seconds", 60))
            return web.Response(status=504)
        case "noIdentity":
            return _no_identity()
        case _:
            return web.Response(status=fault.get("status", 500), text=fault.get("body", "unexpected error occured"))


def _no_identity() -> web.Response:
    said = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
    return web.json_response({"error": "invalid_scope", "error_description": said}, status=400)
