"""Whether everything around the relay can be used now."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.core.delivery.reply_kind import ReplyKind
from shared.core.delivery.retry import is_success
from shared.service.diagnosis.checks import CheckStatus
from shared.service.ports.graph import Graph, Identity, IdentityUnavailable
from shared.service.ports.storage import CounterStore, Unavailable, UpdateQueue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Readiness:
    """Checks that write to queue and table, and read from Graph."""

    queue: UpdateQueue
    counters: CounterStore
    identity: Identity
    graph: Graph

    def checks(self) -> Mapping[str, Callable[[], CheckStatus]]:
        """Return the checks by name; each stands alone."""
        return {
            "queue": lambda: _storage(self.queue.touch),
            "table": lambda: _storage(self.counters.touch),
            "identity": self._identity,
            "graph": self._graph,
        }

    def _identity(self) -> CheckStatus:
        try:
            self.identity.token()
        except IdentityUnavailable as error:
            log.warning("not ready", extra={"reason": str(error)})
            return CheckStatus.FAILING
        return CheckStatus.OK

    def _graph(self) -> CheckStatus:
        try:
            token = self.identity.token()
        except IdentityUnavailable:
            return CheckStatus.UNKNOWN
        reply = self.graph.read_policies(token=token).reply
        if reply.kind is ReplyKind.THROTTLED:  # it answers, and says nothing of our rights
            return CheckStatus.UNKNOWN
        return CheckStatus.OK if is_success(reply) else CheckStatus.FAILING


def _storage(touch: Callable[[], None]) -> CheckStatus:
    try:
        touch()
    except Unavailable as error:
        log.warning("not ready", extra={"reason": str(error)})
        return CheckStatus.FAILING
    return CheckStatus.OK
