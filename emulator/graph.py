"""A strict Microsoft Graph for deviceComplianceUserStatus: it refuses, throttles, remembers and fails as Graph does.

Tests steer it under ``/_emulator``: see ``emulator/graph_control.py`` and ``emulator/faults.py``.
"""

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from emulator.fault_answers import NoAnswer
from emulator.faults import Faults, Traits
from emulator.graph_control import GraphControl
from emulator.graph_faults import KINDS, GraphCall, failing, may_land, own_error
from emulator.graph_list import list_page, page_number
from emulator.graph_rules import ODATA_TYPE, Refusal, check_body, check_caller, check_ids, error, id_headers
from emulator.graph_state import UNSET, GraphState, Key, Record

_POLICY = "/{version:beta|v1.0}/deviceManagement/deviceCompliancePolicies"
_STATUS = _POLICY + "/{policy}/userStatuses/{user_status}"
_TRAITS = ("method", "operation", "policyId", "userStatusId", "query", "page")
type _Operation = Callable[[web.Request, Record], web.Response]


class Graph:
    """The HTTP face."""

    def __init__(self) -> None:
        self.state = GraphState()
        self.faults: Faults[GraphCall] = Faults(KINDS, _TRAITS)
        self._operations: dict[str, _Operation] = {
            "write": self._apply,
            "read": self._read,
            "list": self._list,
            "policies": self._policies,
            "policy": self._policy,
        }

    def application(self) -> web.Application:
        """Return what aiohttp serves."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        add = app.router.add_route
        add("PATCH", _STATUS, partial(self._answer, "write"))
        add("GET", _STATUS, partial(self._answer, "read"))
        add("*", _STATUS, _wrong_method)
        add("GET", _POLICY + "/{policy}/userStatuses", partial(self._answer, "list"))
        add("GET", _POLICY + "/{policy}", partial(self._answer, "policy"))
        add("GET", _POLICY, partial(self._answer, "policies"))
        GraphControl(self.state).add_routes(app)
        self.faults.add_routes(app)
        add("*", "/{path:.*}", _unknown)
        return app

    async def _answer(self, operation: str, request: web.Request) -> web.StreamResponse:
        policy, user_status = _key(request)
        record: Record = {
            "operation": operation,
            "method": request.method,
            "path": request.raw_path,
            "policyId": policy or None,
            "userStatusId": user_status or None,
            "headers": {name: text for name, text in request.headers.items() if name != "Authorization"},
        }
        self.state.arrive(record, (policy, user_status))
        try:
            response = await self._judged(request, record)
        except Refusal as refusal:
            response = refusal.answer(request)
        finally:
            record["end"] = time.time()
            if record["fault"] is None:
                self.state.settle(record)
        record["status"] = None if isinstance(response, NoAnswer) else response.status
        return response

    async def _judged(self, request: web.Request, record: Record) -> web.StreamResponse:
        write = record["operation"] == "write"
        if write:
            await asyncio.sleep(self.state.config["latencyMilliseconds"] / 1000)
            self.state.check_quota(record["start"])
        check_caller(request, time.time(), write=write)
        record["body"] = _parsed(await request.text())
        proceed = partial(self._operations[record["operation"]], request, record)
        fault = self.faults.take(self._traits(request, record))
        if fault is None:
            return proceed()
        record["fault"] = fault["kind"]
        if not may_land(fault):
            self.state.settle(record)
        remember = partial(self.state.remember, _key(request), record)
        call = GraphCall(request, proceed, partial(own_error, request), remember, self.state.postponed.after)
        return await failing(fault, call)

    def _apply(self, request: web.Request, record: Record) -> web.Response:
        key = _key(request)
        try:
            check_ids(*key)
            properties = check_body(request, record["body"], key[1])
            if self.state.config["strictIds"] and key not in self.state.statuses:
                raise _not_found()
            return _whole(request, self.state.apply(key, properties, record))
        finally:
            self.state.settle(record)

    def _read(self, request: web.Request, _record: Record) -> web.Response:
        kept = self.state.statuses.get(_key(request))
        if kept is None:
            raise _not_found()
        return _whole(request, kept)

    def _list(self, request: web.Request, _record: Record) -> web.Response:
        policy, config = request.match_info["policy"], self.state.config
        held = [kept for (owner, _), kept in sorted(self.state.statuses.items()) if owner == policy]
        if config["strictIds"] and not held:
            raise Refusal(404, "ResourceNotFound", f"Resource '{policy}' does not exist.")
        page = list_page(request, held, config["pageSize"], ("id", *UNSET))
        return web.json_response(page, headers=id_headers(request))

    def _policies(self, request: web.Request, _record: Record) -> web.Response:
        ids = dict.fromkeys(policy for policy, _ in self.state.statuses)
        return web.json_response({"value": [{"id": policy} for policy in ids]}, headers=id_headers(request))

    def _policy(self, request: web.Request, _record: Record) -> web.Response:
        return web.json_response({"id": request.match_info["policy"]}, headers=id_headers(request))

    def _traits(self, request: web.Request, record: Record) -> Traits:
        return {
            "method": (record["method"],),
            "operation": (record["operation"],),
            "policyId": (record["policyId"],),
            "userStatusId": (record["userStatusId"],),
            "query": tuple(request.query),
            "page": (page_number(request, self.state.config["pageSize"]),),
        }


async def _wrong_method(request: web.Request) -> web.Response:
    return error(request, 405, "MethodNotAllowed", "The verb is not supported here.")


async def _unknown(request: web.Request) -> web.Response:
    return error(request, 400, "BadRequest", f"Resource not found for the segment '{request.path[:80]}'.")


def _not_found() -> Refusal:
    return Refusal(404, "ResourceNotFound", "Resource not found.")


def _whole(request: web.Request, kept: dict[str, Any]) -> web.Response:
    context = f"{request.url.origin()}/{request.match_info['version']}/$metadata#userStatuses/$entity"
    body = {"@odata.context": context, "@odata.type": ODATA_TYPE} | kept
    return web.json_response(body, headers=id_headers(request))


def _key(request: web.Request) -> Key:
    return request.match_info.get("policy", ""), request.match_info.get("user_status", "")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
