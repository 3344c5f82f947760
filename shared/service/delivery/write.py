"""One turn's hold of a user status, and the writes that go out under it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.core.delivery.outcome import Outcome
from shared.core.delivery.retry import wants_new_token
from shared.core.delivery.user_status import Acceptance, Values, graph_properties, update_ids
from shared.core.rate_limit import Slot
from shared.service.delivery.lease import Held
from shared.service.outcomes.counters import Counters
from shared.service.ports.graph import Graph, GraphCall, Identity, IdentityUnavailable
from shared.service.ports.storage import StoredOutcome
from shared.service.ports.telemetry import GraphOperation, Telemetry
from shared.service.rate_limiter import Deferred, RateLimiter

log = logging.getLogger(__name__)

PATCH = GraphOperation(
    "PATCH",
    "/deviceManagement/deviceCompliancePolicies/{deviceCompliancePolicyId}/userStatuses/{deviceComplianceUserStatusId}",
)


@dataclass
class Leave:
    """A slot of the quota that this turn may use, until it does."""

    slot: Slot | None


@dataclass(frozen=True)
class Sending:
    """A leased user status, the update whose turn it is, and the outcomes of those whose values may be sent."""

    held: Held
    own: Acceptance
    outcomes: Mapping[str, StoredOutcome | None]

    @property
    def known(self) -> StoredOutcome | None:
        """The outcome of the update whose turn it is, as last read."""
        return self.outcomes[self.own.update_id]

    @property
    def outcome(self) -> Outcome | None:
        """The same, without its etag."""
        return self.known.outcome if self.known else None

    def carried(self, values: Values) -> tuple[str, ...]:
        """The trace contexts of the other updates whose values these are."""
        others = [self.outcomes.get(update_id) for update_id in sorted(update_ids(values) - {self.own.update_id})]
        return tuple(one.outcome.traceparent for one in others if one and one.outcome.traceparent)


@dataclass(frozen=True)
class Write:
    """Puts values on the wire: each call in a slot of the quota and well within the lease."""

    graph: Graph
    identity: Identity
    rate_limiter: RateLimiter
    counters: Counters
    telemetry: Telemetry

    def __call__(
        self, sending: Sending, values: Values, token: str, leave: Leave
    ) -> tuple[list[GraphCall], Deferred | None]:
        """The calls made, two where the first token was refused; ``Later`` when a hold came before the last one."""
        answers: list[GraphCall] = []
        for last_try in (False, True):
            answer = self._call(sending, values, token, leave)
            if isinstance(answer, Deferred):
                return answers, answer
            answers.append(answer)
            if last_try or not wants_new_token(answer.reply):
                break
            try:
                token = self.identity.fresh_token(token)
            except IdentityUnavailable:
                break
        self.rate_limiter.report(sending.held.key, answers[-1].reply)
        return answers, None

    def _call(self, sending: Sending, values: Values, token: str, leave: Leave) -> GraphCall | Deferred:
        held = sending.held
        while True:
            slot, leave.slot = leave.slot or self.rate_limiter.enter(), None
            if isinstance(slot, Deferred):
                return slot
            if not held.covers_a_call_at(datetime.fromtimestamp(slot.closes / 1000, UTC)):
                held.renew()
            if self.rate_limiter.wait(slot):
                return self._sent(sending, values, token)

    def _sent(self, sending: Sending, values: Values, token: str) -> GraphCall:
        row = sending.held.row
        self.counters.wrote()
        with self.telemetry.call(PATCH, sending.carried(values)) as answered:
            answer = self.graph.patch_user_status(
                row.policy_id, row.user_status_id, graph_properties(values), token=token
            )
            answered(answer)
            log.info("graph answered", extra=_told(sending.own.update_id, answer))
        return answer


def _told(update_id: str, answer: GraphCall) -> dict[str, str | int]:
    """A call's end without a word of Graph's: what its support asks for (docs/graph-facts.md#f12)."""
    reply = answer.reply
    known = {
        "update_id": update_id,
        "status_code": reply.status_code,
        "transport": reply.transport and reply.transport.value,
        "duration_ms": answer.duration_milliseconds,
        "request_id": reply.request_id,
        "client_request_id": reply.client_request_id,
    }
    return {name: value for name, value in known.items() if value is not None}
