"""The ways in which Graph fails (docs/graph-facts.md), each a row of one table.

A kind that answers in place of Graph applies no write, unless the fault has ``landsAfterSeconds``: then the write is
applied so many seconds after the answer (0: just before it), even if the answer says otherwise or there is none.
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import responses
from typing import Any

from aiohttp import web

from emulator.fault_answers import CUT, GENERAL, STATUS
from emulator.faults import Call, Fault, Kind
from emulator.graph_list_faults import LIST_KINDS
from emulator.graph_rules import Refusal, error


@dataclass(frozen=True)
class GraphCall(Call):
    """A request to Graph that meets a fault."""

    #: Remember the user status as it is now; the result puts it back, changed by the members given.
    remember: Callable[[], Callable[[Mapping[str, Any]], None]]
    #: Do this after so many seconds.
    postpone: Callable[[float, Callable[[], None]], None]


def own_error(request: web.Request, fault: Fault) -> web.Response:
    """Return Graph's error object for a fault."""
    status = fault.get("status", 500)
    # UnknownError passes: a refusal needs a code of its own.
    own_code = "UnknownError" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _phrase(status)
    code, message = fault.get("code", own_code), fault.get("message", "The emulator was asked to fail.")
    return error(request, status, code, message, members=fault.get("members"))


def _phrase(status: int) -> str:
    return responses.get(status, "BadRequest").replace(" ", "")


def may_land(fault: Fault) -> bool:
    """Return whether the write that meets this fault is ever applied."""
    return fault["kind"] in _APPLYING or fault.get("landsAfterSeconds") is not None


async def failing(fault: Fault, call: GraphCall) -> web.StreamResponse:
    """Return the answer that this fault gives."""
    await asyncio.sleep(fault.get("delaySeconds", 0))
    lands = fault.get("landsAfterSeconds") if call.request.method == "PATCH" else None
    if lands == 0:
        call.proceed()
    elif lands is not None:
        call.postpone(lands, partial(_land, call))
    return await KINDS[fault["kind"]].answer(fault, call)


def _land(call: GraphCall) -> None:
    with suppress(Refusal):
        call.proceed()


async def _nested(fault: Fault, call: GraphCall) -> web.StreamResponse:
    """Put JSON inside the message, twice if asked (docs/graph-facts.md#f14)."""
    activity = call.request.headers.get("client-request-id", "")
    inner: dict[str, Any] = {
        "_version": 3,
        "Message": f"{fault.get('message', 'An error has occurred')} - Operation ID (for customer support): "
        f"{uuid.UUID(int=0)} - Activity ID: {activity} - Url: https://fef.msub01.manage.microsoft.com/DeviceConfig",
        "CustomApiErrorPhrase": "",
        "RetryAfter": fault.get("retryAfter"),
        "ErrorSourceService": "",
        "HttpHeaders": "{}",
    }
    if fault.get("levels", 2) > 2:
        inner = {"ErrorCode": fault.get("code", "Forbidden"), "Message": json.dumps(inner), "Target": None}
    return error(call.request, fault.get("status", 400), fault.get("code", "BadRequest"), json.dumps(inner))


async def _revert(fault: Fault, call: GraphCall) -> web.StreamResponse:
    """Accept the write and show it; after ``seconds`` show the old value, or ``to``, unless a newer write came."""
    put_back = call.remember()
    response = call.proceed()
    call.postpone(fault.get("seconds", 5), partial(put_back, fault.get("to", {})))
    return response


_WRITE = {"operation": "write"}
_ROUTE = "~/singleton/navigation/key/navigation/key with http verb PATCH"
_SERVICE = "/StatelessDeviceConfigurationFEService/deviceManagement/deviceCompliancePolicies"

#: Graph's own kinds that replace the answer.
_REPLACING: dict[str, Kind[Any]] = {
    **GENERAL,
    "throttle": STATUS.named(status=429, code="TooManyRequests", message="Please retry again later."),
    "intuneNested": Kind(_nested, frozenset({"status", "code", "message", "levels", "retryAfter"})),
    "noRoute": STATUS.named(
        status=400,
        code="No method match route template",
        message=f"No OData route exists that match template {_ROUTE} for request {_SERVICE}.",
    ),
    "noLicence": STATUS.named(status=400, code="BadRequest", message="Request not applicable to target tenant."),
    # Multi Admin Approval answers in one of three forms, to writes alone (docs/graph-facts.md#f67).
    "approvalHeader": STATUS.named(
        match=_WRITE,
        status=400,
        code="BadRequest",
        message="Header 'x-msft-approval-justification' is required.",
    ),
    "approvalRequired": STATUS.named(
        match=_WRITE,
        status=403,
        code="ApprovalRequired",
        message="Approval is required to perform this operation.",
    ),
    "approvalCode": STATUS.named(
        match=_WRITE,
        status=412,
        code="PreconditionFailed",
        message="The operation waits for an approval.",
        headers={"x-msft-approval-code": "5d0f8f0b-3a55-4f0e-9d53-5c1f2f0a7e11"},
    ),
    "errorInSuccess": STATUS.named(status=200, code="generalException", message="An error has occurred."),
    "null": STATUS.named(status=200, body="null", contentType="application/json", landsAfterSeconds=0),
    "empty": STATUS.named(status=204, body="", landsAfterSeconds=0),
    "garbage": STATUS.named(
        status=200, body="<<< this is not JSON >>>", contentType="application/json", landsAfterSeconds=0
    ),
    "truncated": CUT.named(status=200, body={"id": "half of this body is cut off"}, landsAfterSeconds=0),
}
#: Kinds that do what the request asks, and change how it shows.
_APPLYING: dict[str, Kind[Any]] = {
    "slow": GENERAL["slow"],
    "revert": Kind(_revert, frozenset({"seconds", "to"}), {"match": _WRITE}),
    **LIST_KINDS,
}
KINDS: dict[str, Kind[Any]] = {
    name: Kind(kind.answer, kind.members | {"landsAfterSeconds"}, kind.preset) for name, kind in _REPLACING.items()
} | _APPLYING
