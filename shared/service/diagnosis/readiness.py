"""Whether everything around the relay can be used now."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.service.ports.graph import Graph, Identity, IdentityUnavailable
from shared.service.ports.storage import CounterStore, Unavailable, UpdateQueue

log = logging.getLogger(__name__)


class Check(StrEnum):
    """What a check found."""

    OK = "ok"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Readiness:
    """Checks that write to queue and table, and read from Graph."""

    queue: UpdateQueue
    counters: CounterStore
    identity: Identity
    graph: Graph

    def checks(self) -> Mapping[str, Callable[[], Mapping[str, Check]]]:
        """Each answers for one or two names."""
        return {
            "queue": lambda: {"queue": _storage(self.queue.touch)},
            "table": lambda: {"table": _storage(self.counters.touch)},
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


def _storage(touch: Callable[[], None]) -> Check:
    try:
        touch()
    except Unavailable as error:
        log.warning("not ready", extra={"reason": str(error)})
        return Check.FAILING
    return Check.OK
