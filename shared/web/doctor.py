"""``GET /api/doctor``: what keeps the relay from its work, and the next step."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.strict_json import Fault, pointer
from shared.core.basics.timestamp import format_milliseconds
from shared.core.intake.update_schema import is_policy_id, is_user_status_id
from shared.service.diagnosis.checks import CheckResult, CheckStatus
from shared.service.diagnosis.doctor import WRITE, Doctor, ProbeTarget, late
from shared.service.ports.runtime import Clock
from shared.web.authorization import PROBE
from shared.web.caller import Callers
from shared.web.endpoint import async_endpoint
from shared.web.openapi.operations import as_json, operation, parameter
from shared.web.openapi.schemas import IDS, Schema, ref
from shared.web.query import parameters
from shared.web.response import Problem, json_response
from shared.web.running_checks import RunningChecks

log = logging.getLogger(__name__)

#: Longer than storage's own retries; the PATCH may wait for a hold of a minute.
SECONDS, WRITE_SECONDS = 25.0, 120.0
_NAMES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "deviceCompliancePolicyId": (is_policy_id, "must be a GUID"),
    "deviceComplianceUserStatusId": (is_user_status_id, "must be 1 to 256 of A-Z a-z 0-9 - _ . ~ @ :"),
}


@dataclass(frozen=True)
class DoctorApi:
    """The checks, side by side, each bounded in time."""

    doctor: Doctor
    running: RunningChecks
    callers: Callers
    clock: Clock

    @async_endpoint
    async def get_doctor(self, request: func.HttpRequest) -> func.HttpResponse:
        """Check everything that the relay needs.

        One finding for each check, with the next step for each fault; 200 whatever is found. With both ids the PATCH is
        tried too: the user status's own values are sent back.
        """
        asked = _asked(*parameters(request))
        if asked is not None:
            self.callers.authorize(PROBE, request)
        checks = self.doctor.checks(asked, by=self.callers.principal(request))
        found = await asyncio.gather(*(self._result(name, check, asked) for name, check in checks.items()))
        findings = [finding for some in found for finding in some]
        failing = any(finding.status is CheckStatus.FAILING for finding in findings)
        body = {
            "asOfDateTime": format_milliseconds(self.clock.now()),
            "status": "failing" if failing else "ok",
            "checks": [_as_json(finding) for finding in findings],
        }
        return json_response(200, body)

    async def _result(
        self, name: str, check: Callable[[], Sequence[CheckResult]], asked: ProbeTarget | None
    ) -> Sequence[CheckResult]:
        seconds = WRITE_SECONDS if name == WRITE else SECONDS
        key = f"{name} {asked}" if name == WRITE else name
        try:
            return await self.running.result(f"doctor {key}", check, seconds)
        except TimeoutError:
            log.warning("doctor: no answer", extra={"check": name})
            return late(name, seconds)


def _as_json(finding: CheckResult) -> dict[str, Any]:
    return {
        "name": finding.name,
        "status": finding.status.value,
        "detail": finding.detail,
        "nextStep": finding.next_step,
    }


def _asked(given: Mapping[str, str], repeated: list[Fault]) -> ProbeTarget | None:
    faults = repeated + [Fault(pointer(name[:40]), "is not a parameter") for name in given.keys() - _NAMES.keys()]
    for name, (accepts, accepted) in _NAMES.items():
        if given and not accepts(given.get(name, "")):
            faults.append(Fault(pointer(name), f"{accepted}; both ids or none"))
    if faults:
        raise Problem("invalidQuery", "The query is not valid; see errors.", faults)
    return ProbeTarget(*(given[name] for name in _NAMES)) if given else None


_PROBE = {
    "deviceCompliancePolicyId": "Together with the other id: also tries the PATCH.",
    "deviceComplianceUserStatusId": "The user status whose own values are sent back.",
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/doctor": {
        "get": operation(
            DoctorApi.get_doctor,
            "Operations",
            {200: as_json(ref("Doctor"), "A finding for each check, whatever was found.")},
            400,
            parameters=[parameter(name, IDS[name], "query", text) for name, text in _PROBE.items()],
        ),
    },
}
