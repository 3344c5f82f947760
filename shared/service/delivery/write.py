"""The writes that go out under one lease: each in a slot of the quota, with a token."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.retry import wants_new_token
from shared.core.delivery.user_status import Values, graph_properties
from shared.core.pause import Pause
from shared.core.rate_limit import Slot
from shared.service.delivery.brake import Brake
from shared.service.delivery.lease import Claim
from shared.service.delivery.pauses import ActivePauses
from shared.service.outcomes.counters import Counters
from shared.service.ports.graph import Graph, GraphCall, Identity, IdentityUnavailable
from shared.service.ports.telemetry import GraphOperation, Telemetry
from shared.service.rate_limiter import Admission, Deferred, RateLimiter, RouteMissing

log = logging.getLogger(__name__)

PATCH = GraphOperation(
    "PATCH",
    "/deviceManagement/deviceCompliancePolicies/{deviceCompliancePolicyId}/userStatuses/{deviceComplianceUserStatusId}",
)


@dataclass
class Permit:
    """What the calls of one turn need: what it may use of the quota, and a token.

    ``pauses`` are those by which the values were chosen; None where neither pauses nor the brake count.
    """

    admission: Admission
    token: str
    pauses: tuple[Pause, ...] | None = None


@dataclass(frozen=True)
class PausesChanged:
    """The values are to be chosen again: a pause began or ended meanwhile, or the brake has opened one."""


@dataclass(frozen=True)
class Written:
    """The calls of one write, two where the first token was refused; ``barred``: why the last one was not made."""

    calls: tuple[GraphCall, ...]
    barred: Deferred | RouteMissing | PausesChanged | None = None

    @property
    def reply(self) -> GraphReply:
        """The last call's."""
        return self.calls[-1].reply


@dataclass(frozen=True)
class Write:
    """Puts values on the wire: each call in a slot of the quota and well within the lease."""

    graph: Graph
    identity: Identity
    rate_limiter: RateLimiter
    counters: Counters
    telemetry: Telemetry
    active: ActivePauses
    brake: Brake

    def __call__(
        self, claim: Claim, values: Values, permit: Permit, *, update_id: str, carried: Iterable[str] = ()
    ) -> Written:
        """Send values; ``update_id`` is in the log, ``carried`` are the trace contexts of other updates.

        Raise ``Conflict`` when the lease was lost.
        """
        calls: list[GraphCall] = []
        for last_try in (False, True):
            call = self._call(claim, values, permit, update_id, tuple(carried))
            if not isinstance(call, GraphCall):
                return Written(tuple(calls), call)
            calls.append(call)
            if last_try or not wants_new_token(call.reply) or not self._renewed(permit):
                break
        self.rate_limiter.record(claim.row.policy_id, claim.key, calls[-1].reply)
        return Written(tuple(calls))

    def _renewed(self, permit: Permit) -> bool:
        try:
            permit.token = self.identity.fresh_token(permit.token)
        except IdentityUnavailable:
            return False
        return True

    def _call(
        self, claim: Claim, values: Values, permit: Permit, update_id: str, carried: tuple[str, ...]
    ) -> GraphCall | Deferred | RouteMissing | PausesChanged:
        while True:
            slot = permit.admission.acquire()
            if not isinstance(slot, Slot):
                return slot
            if permit.pauses is not None and self.brake.stops(values, slot):
                return PausesChanged()
            claim.prepare(values, datetime.fromtimestamp(slot.closes / 1000, UTC))
            if permit.admission.wait_until_open():
                if permit.pauses is not None and self._paused(permit.pauses, values):
                    return PausesChanged()
                return self._sent(claim, values, permit.token, update_id, carried)

    def _paused(self, before: tuple[Pause, ...], values: Values) -> bool:
        """Whether a pause began or ended since the values were chosen."""
        return self.brake.beside(self.active(), values) != self.brake.beside(before, values)

    def _sent(self, claim: Claim, values: Values, token: str, update_id: str, carried: tuple[str, ...]) -> GraphCall:
        row = claim.row
        self.counters.wrote()
        with self.telemetry.call(PATCH, carried) as answered:
            call = self.graph.patch_user_status(
                row.policy_id, row.user_status_id, graph_properties(values), token=token
            )
            answered(call)
            log.info("graph answered", extra=_log_fields(update_id, call))
        return call


def _log_fields(update_id: str, call: GraphCall) -> dict[str, str | int]:
    """Return what Graph's support asks for of a call (docs/graph-facts.md#f12), without a word of Graph's."""
    reply = call.reply
    known = {
        "update_id": update_id,
        "status_code": reply.status_code,
        "transport": reply.transport and reply.transport.value,
        "duration_ms": call.duration_milliseconds,
        "request_id": reply.request_id,
        "client_request_id": reply.client_request_id,
    }
    return {name: value for name, value in known.items() if value is not None}
