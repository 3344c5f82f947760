"""What a reply changes in the shared row."""

from collections.abc import Callable

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.delivery.retry import is_outage, is_outage_for_all, is_refusal, is_success
from shared.core.rate_limit import RateLimitState, state
from shared.core.rate_limit.state import Fault


def change_after(
    reply: GraphReply, policy_id: str, key: str, *, now: int, jitter: float
) -> Callable[[RateLimitState], RateLimitState]:
    """Return the change of the row after a write of this user status was answered so."""
    if is_outage(reply):
        # Without an answer nothing says that the fault is this policy's.
        own = None if reply.status_code is None else policy_id
        fault = Fault(key, own, at_once=is_outage_for_all(reply))
        return lambda row: state.record_fault(row, fault, now=now, jitter=jitter)
    if reply.kind is ReplyKind.ROUTE_MISSING:
        return lambda row: state.record_missing_route(row, policy_id, key, now=now)
    if is_success(reply):
        return lambda row: state.record_success(row, policy_id)
    if is_refusal(reply):
        return lambda row: state.record_refusal(row, policy_id)
    return lambda row: state.end_probe(row, policy_id)
