"""A strict Microsoft Graph for deviceComplianceUserStatus: refuses what it would, throttles, remembers, fails.

Control, all under ``/_emulator``: ``GET requests?since=N``, ``GET summary``, ``GET state``, ``PUT state`` (seed),
``PUT config`` (``quota`` as ``100/20`` or null, ``retryAfter``, ``latencyMilliseconds``, ``strictIds``, ``pageSize``),
``POST faults`` (``kind``, ``count`` or null for ever, ``match``), ``GET faults``, ``DELETE faults|requests|state``.
"""

import asyncio
import json
import time
import uuid
from typing import Any

from aiohttp import web

from emulator.graph_faults import KINDS, error, failing, throttled
from emulator.graph_list import list_page
from emulator.graph_rules import ODATA_TYPE, Refusal, check_body, check_caller, check_ids
from emulator.graph_state import GraphState

_POLICY = "/{version:beta|v1.0}/deviceManagement/deviceCompliancePolicies"
_STATUS = _POLICY + "/{policy}/userStatuses/{user_status}"
_EMPTY = {
    "userDisplayName": "", "devicesCount": 0, "status": "unknown",
    "lastReportedDateTime": "0001-01-01T00:00:00Z", "userPrincipalName": "",
}  # fmt: skip


class Graph:
    """The HTTP face."""

    def __init__(self) -> None:
        self.state = GraphState()

    def application(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        add = app.router.add_route
        add("*", _STATUS, self._user_status)
        add("*", _POLICY + "/{policy}/userStatuses", self._list)
        add("*", _POLICY + "/{policy}", self._policy)
        add("*", _POLICY, self._policies)
        add("GET", "/_emulator/requests", self._requests)
        add("GET", "/_emulator/summary", self._summary)
        add("GET", "/_emulator/state", self._statuses)
        add("PUT", "/_emulator/state", self._seed)
        add("PUT", "/_emulator/config", self._configure)
        add("POST", "/_emulator/faults", self._add_fault)
        add("GET", "/_emulator/faults", self._faults)
        add("DELETE", "/_emulator/{what:faults|requests|state}", self._clear)
        add("*", "/{path:.*}", self._unknown)
        return app

    async def _user_status(self, request: web.Request) -> web.StreamResponse:
        if request.method == "PATCH":
            return await self._recorded(request, self._patch, write=True)
        if request.method == "GET":
            return await self._recorded(request, self._get)
        return error(request, 405, "MethodNotAllowed", "The verb is not supported here.")

    async def _recorded(self, request: web.Request, handler: Any, *, write: bool = False) -> web.StreamResponse:
        state, key = self.state, _key(request)
        record: dict[str, Any] = {
            "number": len(state.requests) + 1, "start": time.time(), "end": None, "method": request.method,
            "path": request.raw_path, "policyId": request.match_info.get("policy"),
            "userStatusId": request.match_info.get("user_status"), "status": None, "applied": None,
            "headers": {name: text for name, text in request.headers.items() if name != "Authorization"},
            "overlap": write and state.in_flight.get(key, 0) > 0, "body": None, "fault": None,
        }  # fmt: skip
        state.requests.append(record)
        if write:
            state.in_flight[key] = state.in_flight.get(key, 0) + 1
        try:
            response: web.StreamResponse = await handler(request, record)
            record["status"] = response.status
        except Refusal as refusal:
            response = error(request, refusal.status, refusal.code, refusal.message, refusal.retry_after)
            record["status"] = response.status
        finally:
            record["end"] = time.time()
            if write:
                state.in_flight[key] -= 1
        client = request.headers.get("client-request-id")
        if client and not response.prepared:
            response.headers["client-request-id"] = client
        return response

    async def _patch(self, request: web.Request, record: dict[str, Any]) -> web.StreamResponse:
        state = self.state
        await asyncio.sleep(state.config["latencyMilliseconds"] / 1000)
        wait = state.over_quota(record["start"])
        if wait is not None:
            record["fault"] = "quota"
            after = str(int(wait) + 1) if state.config["retryAfter"] else None
            return await throttled({"retryAfter": after}, request, _nothing)
        check_caller(request, time.time(), write=True)
        text = await request.text()
        record["body"] = _parsed(text)
        fault = state.take_fault(request)

        async def apply() -> web.StreamResponse:
            return self._apply(request, record)

        if fault is not None:
            record["fault"] = fault["kind"]
            if fault["kind"] in ("hang", "drip"):  # it will never be applied: no later write can collide with it
                state.in_flight[_key(request)] -= 1
                try:
                    return await failing(fault, request, apply)
                finally:
                    state.in_flight[_key(request)] += 1
            return await failing(fault, request, apply)
        return await apply()

    def _apply(self, request: web.Request, record: dict[str, Any]) -> web.Response:
        policy, user_status = _key(request)
        check_ids(policy, user_status)
        properties = check_body(request, record["body"], user_status)
        if self.state.config["strictIds"] and (policy, user_status) not in self.state.statuses:
            raise Refusal(404, "ResourceNotFound", "Resource not found.")
        kept = self.state.statuses.setdefault((policy, user_status), {"id": user_status} | _EMPTY)
        kept.update(properties)
        record["applied"] = time.time()
        return self._whole(request, kept)

    async def _get(self, request: web.Request, _record: dict[str, Any]) -> web.StreamResponse:
        check_caller(request, time.time(), write=False)
        fault = self.state.take_fault(request)
        if fault is not None:
            return await failing(fault, request, _nothing)
        kept = self.state.statuses.get(_key(request))
        if kept is None:
            raise Refusal(404, "ResourceNotFound", "Resource not found.")
        return self._whole(request, kept)

    def _whole(self, request: web.Request, kept: dict[str, Any]) -> web.Response:
        context = f"{request.url.origin()}/{request.match_info['version']}/$metadata#userStatuses/$entity"
        body = {"@odata.context": context, "@odata.type": ODATA_TYPE} | kept
        return web.json_response(body, headers={"request-id": str(uuid.uuid4())})

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, self._listed)

    async def _listed(self, request: web.Request, _record: dict[str, Any]) -> web.StreamResponse:
        check_caller(request, time.time(), write=False)
        fault = self.state.take_fault(request)
        if fault is not None:
            return await failing(fault, request, _nothing)
        policy, config = request.match_info["policy"], self.state.config
        all_ = [kept for (owner, _), kept in sorted(self.state.statuses.items()) if owner == policy]
        if config["strictIds"] and not all_:
            raise Refusal(404, "ResourceNotFound", f"Resource '{policy}' does not exist.")
        return web.json_response(list_page(request, all_, config["pageSize"], ("id", *_EMPTY)))

    async def _policies(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, self._some_policies)

    async def _some_policies(self, request: web.Request, _record: dict[str, Any]) -> web.StreamResponse:
        check_caller(request, time.time(), write=False)
        fault = self.state.take_fault(request)
        if fault is not None:
            return await failing(fault, request, _nothing)
        ids = dict.fromkeys(policy for policy, _ in self.state.statuses)
        return web.json_response({"value": [{"id": one} for one in ids]})

    async def _policy(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, self._one_policy)

    async def _one_policy(self, request: web.Request, _record: dict[str, Any]) -> web.StreamResponse:
        check_caller(request, time.time(), write=False)
        return web.json_response({"id": request.match_info["policy"]})

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        return error(request, 400, "BadRequest", f"Resource not found for the segment '{request.path[:80]}'.")

    async def _requests(self, request: web.Request) -> web.Response:
        since = int(request.query.get("since", 0))
        return web.json_response({"value": self.state.requests[since:]})

    async def _summary(self, _request: web.Request) -> web.Response:
        return web.json_response(self.state.summary())

    async def _statuses(self, _request: web.Request) -> web.Response:
        kept = [{"policyId": policy} | status for (policy, _), status in self.state.statuses.items()]
        return web.json_response({"value": kept})

    async def _seed(self, request: web.Request) -> web.Response:
        for one in (await request.json())["value"]:
            policy = one.pop("policyId")
            self.state.statuses[policy, one["id"]] = {"id": one["id"]} | _EMPTY | one
        return web.Response(status=204)

    async def _configure(self, request: web.Request) -> web.Response:
        self.state.config |= await request.json()
        return web.json_response(self.state.config)

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = await request.json()
        if fault.get("kind") not in KINDS:
            return web.json_response({"error": f"kind must be one of {', '.join(sorted(KINDS))}"}, status=400)
        fault.setdefault("count", 1)
        self.state.faults.append(fault)
        return web.json_response(fault)

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"value": self.state.faults})

    async def _clear(self, request: web.Request) -> web.Response:
        getattr(self.state, {"state": "statuses"}.get(request.match_info["what"], request.match_info["what"])).clear()
        return web.Response(status=204)


def _key(request: web.Request) -> tuple[str, str]:
    return request.match_info.get("policy", ""), request.match_info.get("user_status", "")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


async def _nothing() -> web.StreamResponse:
    return web.Response(status=204)
