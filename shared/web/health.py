"""Health: alive while the process runs, ready while everything around it can be used."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.service.ports import ActivityStore, Clock, Graph, Identity, IdentityUnavailable, Unavailable, UpdateQueue
from shared.web.answers import answer
from shared.web.boundary import awaits_problems
from shared.web.waiting import Waiting

log = logging.getLogger(__name__)

#: Readiness is asked often; what was found is good for this long.
CACHED_SECONDS = 5
#: A check that takes longer fails.
_LONGEST_CHECK_SECONDS = 8


class Check(StrEnum):
    """What a check found."""

    OK = "ok"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Readiness:
    """The checks of contract section 4; they write to queue and table, and read from Graph."""

    queue: UpdateQueue
    activity: ActivityStore
    identity: Identity
    graph: Graph

    def checks(self) -> Mapping[str, Callable[[], Mapping[str, Check]]]:
        """Each answers for one or two names."""
        return {
            "queue": lambda: {"queue": _storage(self.queue.touch)},
            "table": lambda: {"table": _storage(self.activity.touch)},
            "identity, graph": self._graph,
        }

    def _graph(self) -> Mapping[str, Check]:
        try:
            token = self.identity.token()
        except IdentityUnavailable:
            return {"identity": Check.FAILING, "graph": Check.UNKNOWN}
        status = self.graph.read_policies(token=token).reply.status_code
        if status == 429:  # noqa: PLR2004 - throttled: it answers, and says nothing of our rights
            return {"identity": Check.OK, "graph": Check.UNKNOWN}
        return {"identity": Check.OK, "graph": Check.OK if status == 200 else Check.FAILING}  # noqa: PLR2004 - OK


@dataclass
class Health:
    """``GET /api/health/live`` and ``GET /api/health/ready``."""

    readiness: Readiness
    waiting: Waiting
    clock: Clock
    _found: Mapping[str, Check] = field(default_factory=dict)
    _found_at: datetime | None = None
    _checking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @awaits_problems
    async def live(self, _request: func.HttpRequest) -> func.HttpResponse:
        """The process answers."""
        return answer(200, {"status": "ok"})

    @awaits_problems
    async def ready(self, _request: func.HttpRequest) -> func.HttpResponse:
        """503 while any check fails."""
        async with self._checking:
            if self._found_at is None or self.clock.now() - self._found_at > timedelta(seconds=CACHED_SECONDS):
                self._found, self._found_at = await self._check(), self.clock.now()
            found = self._found
        failing = Check.FAILING in found.values()
        return answer(503 if failing else 200, {"status": "failing" if failing else "ok", "checks": dict(found)})

    async def _check(self) -> Mapping[str, Check]:
        checks = self.readiness.checks()
        found = await asyncio.gather(*(self._one(names, check) for names, check in checks.items()))
        return {name: check for some in found for name, check in some.items()}

    async def _one(self, names: str, check: Callable[[], Mapping[str, Check]]) -> Mapping[str, Check]:
        try:
            return await asyncio.wait_for(self.waiting.run(check), _LONGEST_CHECK_SECONDS)
        except TimeoutError:
            log.warning("not ready", extra={"check": names, "reason": "timeout"})
            return dict.fromkeys(names.split(", "), Check.FAILING)


def _storage(touch: Callable[[], None]) -> Check:
    try:
        touch()
    except Unavailable as error:
        log.warning("not ready", extra={"reason": str(error)})
        return Check.FAILING
    return Check.OK
