"""What follows from a reply: the decision, and the backoff.

``decide`` is the only place that turns a status code into a decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.core.delivery.graph_reply import GraphReply, TransportFault

#: 2 to this power exceeds any ceiling; clamped before the power is taken, so any attempt number will do.
_MAX_EXPONENT = 30
#: A reset may hide a write that is still on its way through the service.
_SETTLING_SECONDS = 2.0
_TRANSIENT = frozenset({408, 409, 423, 425})


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter; ``quota_window_seconds`` is waited out after a bare 429."""

    base_seconds: float
    max_seconds: float
    quota_window_seconds: float


@dataclass(frozen=True)
class DeliveryLimits:
    """How long an update is tried, and how its attempts are spaced."""

    deadline: timedelta
    retry: RetryPolicy


@dataclass(frozen=True)
class DeliveryError:
    """A delivery's last fault, as the resource's ``error``."""

    code: str
    message: str
    reply: GraphReply

    def to_json(self) -> dict[str, Any]:
        """``{"code", "message", "innerError"}``."""
        inner = {
            "statusCode": self.reply.status_code,
            "code": self.reply.code,
            "requestId": self.reply.request_id,
            "clientRequestId": self.reply.client_request_id,
            "activityId": self.reply.activity_id,
            "date": self.reply.date,
        }
        return {"code": self.code, "message": self.message, "innerError": inner}


@dataclass(frozen=True)
class Done:
    """Graph has it."""

    result: Mapping[str, Any] | None


@dataclass(frozen=True)
class RetryAt:
    """Try again then."""

    when: datetime
    error: DeliveryError


@dataclass(frozen=True)
class GiveUp:
    """Never again: Graph refused the write for good."""

    error: DeliveryError


@dataclass(frozen=True)
class DeadlineExceeded:
    """Never again: the update's time is over. Graph did not refuse it."""

    error: DeliveryError


type Step = Done | RetryAt | GiveUp | DeadlineExceeded


def decide(
    reply: GraphReply, *, attempt: int, now: datetime, jitter: float, policy: RetryPolicy, deadline: datetime
) -> Step:
    """The next step after attempt number ``attempt`` (from 1); ``jitter`` from 0 to 1."""
    if _succeeded(reply):
        return Done(reply.result)
    error = DeliveryError(_code(reply), _message(reply), reply)
    if not _transient(reply):
        return GiveUp(error)
    if now >= deadline:
        said = f"Not delivered before its deadline. The last fault was {error.code}: {error.message}"
        return DeadlineExceeded(DeliveryError("deadlineExceeded", said[:2048], reply))
    when = now + timedelta(seconds=_delay(reply, attempt, jitter, policy))
    return RetryAt(min(when, deadline), error)


def wants_new_token(reply: GraphReply) -> bool:
    """Whether one new token is worth one more try."""
    return reply.status_code == 401  # noqa: PLR2004 - Unauthorized


def hold_seconds(reply: GraphReply) -> float | None:
    """How long every instance has to hold: Graph said so."""
    return reply.retry_after_seconds if reply.status_code in (429, 503) else None


def is_outage(reply: GraphReply) -> bool:
    """Whether several of these in a row mean that nobody gets through."""
    if reply.status_code is None:
        return True
    return reply.status_code in (401, 403) or reply.status_code >= 500  # noqa: PLR2004 - server errors


def is_answer(reply: GraphReply) -> bool:
    """Whether Graph is at work: it took the write, or refused this one for good."""
    return _succeeded(reply) or not _transient(reply)


def is_success(reply: GraphReply) -> bool:
    """Return whether Graph did what it was asked."""
    return _succeeded(reply)


def refuses_every_value(reply: GraphReply) -> bool:
    """Return whether no other values of this user status would fare better: it, or its route, does not exist."""
    return reply.route_missing or reply.status_code == 404  # noqa: PLR2004 - Not Found


def may_still_land(reply: GraphReply) -> bool:
    """Return whether the write may be applied after this reply: the service behind the answer may be at work still.

    ``unreachable`` is not among them: that request was never sent.
    """
    return reply.transport in _CUT_SHORT or reply.status_code in _GATEWAY_GAVE_UP


def may_have_landed(reply: GraphReply) -> bool:
    """Return whether the write may be in Graph, now or later, although this reply does not say so.

    False for success, and where the write was not applied: a 4xx, a 503, a request that was never sent.
    """
    if may_still_land(reply):
        return True
    status = reply.status_code
    return status is not None and _transient(reply) and status not in _NOT_APPLIED and status // 100 != 4  # noqa: PLR2004


_CUT_SHORT = (TransportFault.TIMEOUT, TransportFault.DISCONNECTED)
_GATEWAY_GAVE_UP = (408, 502, 504)
_NOT_APPLIED = (503,)


def _succeeded(reply: GraphReply) -> bool:
    return reply.status_code is not None and reply.status_code // 100 == 2 and reply.readable  # noqa: PLR2004


def _transient(reply: GraphReply) -> bool:
    status = reply.status_code
    if status is None or status in _CODES or status in _TRANSIENT:
        return True
    return status >= 500 or status // 100 == 2  # noqa: PLR2004 - a 2xx here is one whose body is not JSON


_CODES = {401: "notAuthorized", 403: "notAuthorized", 429: "throttled"}


def _code(reply: GraphReply) -> str:
    if reply.identity_fault is not None:
        return "identityUnavailable"
    if reply.route_missing:
        return "operationNotSupported"
    if reply.status_code in _CODES:
        return _CODES[reply.status_code]
    return "graphUnavailable" if _transient(reply) else "graphRejected"


_TRANSPORT_MESSAGES = {
    TransportFault.TIMEOUT: "Graph did not answer in time.",
    TransportFault.DISCONNECTED: "The connection to Graph broke.",
    TransportFault.UNREACHABLE: "Graph could not be reached.",
}


def _message(reply: GraphReply) -> str:
    if reply.identity_fault is not None:
        return f"No token could be obtained: {reply.identity_fault}"[:2048]
    if reply.transport is not None:
        return _TRANSPORT_MESSAGES[reply.transport]
    if not reply.readable:
        return f"Graph answered {reply.status_code} with a body that is not JSON."
    return reply.message or f"Graph answered {reply.status_code}."


def _delay(reply: GraphReply, attempt: int, jitter: float, policy: RetryPolicy) -> float:
    if reply.retry_after_seconds is not None:
        return reply.retry_after_seconds + jitter
    ceiling = min(policy.max_seconds, policy.base_seconds * float(1 << min(attempt - 1, _MAX_EXPONENT)))
    if reply.status_code == 429:  # noqa: PLR2004 - Too Many Requests
        return max(policy.quota_window_seconds, ceiling * jitter) + jitter
    if reply.transport is TransportFault.DISCONNECTED:
        return max(_SETTLING_SECONDS, ceiling * jitter)
    return ceiling * jitter
