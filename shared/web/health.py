"""Health: alive while the process runs, ready while everything around it can be used."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.service.diagnosis.checks import CheckStatus
from shared.service.diagnosis.readiness import Readiness
from shared.service.ports.runtime import Clock
from shared.web.endpoint import async_endpoint
from shared.web.openapi.operations import as_json, operation
from shared.web.openapi.schemas import Schema, ref
from shared.web.response import json_response
from shared.web.running_checks import RunningChecks

log = logging.getLogger(__name__)

#: Readiness is asked often; what was found is good for this long.
CACHED_SECONDS = 5
#: A check that takes longer fails.
_MAX_CHECK_SECONDS = 8


@dataclass
class HealthApi:
    """``GET /api/health/live`` and ``GET /api/health/ready``."""

    readiness: Readiness
    running: RunningChecks
    clock: Clock
    _found: Mapping[str, CheckStatus] = field(default_factory=dict)
    _found_at: datetime | None = None

    @async_endpoint
    async def live(self, _request: func.HttpRequest) -> func.HttpResponse:
        """Answer that the process runs."""
        return json_response(200, {"status": "ok"})

    @async_endpoint
    async def ready(self, _request: func.HttpRequest) -> func.HttpResponse:
        """Answer whether the relay can do its work.

        503 while any check fails. What was found is kept for a few seconds; no write of the quota is spent.
        """
        if self._found_at is None or self.clock.now() - self._found_at > timedelta(seconds=CACHED_SECONDS):
            self._found, self._found_at = await self._check(), self.clock.now()
        found = self._found
        failing = CheckStatus.FAILING in found.values()
        return json_response(503 if failing else 200, {"status": "failing" if failing else "ok", "checks": dict(found)})

    async def _check(self) -> Mapping[str, CheckStatus]:
        checks = self.readiness.checks()
        found = await asyncio.gather(*(self._result(name, check) for name, check in checks.items()))
        return dict(zip(checks, found, strict=True))

    async def _result(self, name: str, check: Callable[[], CheckStatus]) -> CheckStatus:
        try:
            return await self.running.result(f"ready {name}", check, _MAX_CHECK_SECONDS)
        except TimeoutError:
            log.warning("not ready", extra={"check": name, "reason": "timeout"})
            return CheckStatus.FAILING


OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/health/live": {
        "get": operation(HealthApi.live, "Health", {200: as_json(ref("Live"), "The process runs.")}),
    },
    "/health/ready": {
        "get": operation(
            HealthApi.ready,
            "Health",
            {200: as_json(ref("Ready"), "All can be used."), 503: as_json(ref("Ready"), "Something is failing.")},
        ),
    },
}
