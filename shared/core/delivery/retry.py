"""The next step after a reply, and the backoff between attempts.

What a reply means is its row in ``judgement``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import Outage, ReplyKind

#: 2 to this power exceeds any ceiling; clamped before the power is taken, so any attempt number will do.
_MAX_EXPONENT = 30
MAX_MESSAGE_LENGTH = 2048


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
    code = reply.meaning.code
    if code is None:
        return Done(reply.result)
    error = DeliveryError(code, message_of(reply), reply)
    if reply.meaning.refusal:
        return GiveUp(error)
    if now >= deadline:
        message = f"Not delivered before its deadline. The last fault was {error.code}: {error.message}"
        return DeadlineExceeded(DeliveryError("deadlineExceeded", message[:MAX_MESSAGE_LENGTH], reply))
    when = now + timedelta(seconds=_delay(reply, attempt, jitter, policy))
    return RetryAt(min(when, deadline), error)


def wants_new_token(reply: GraphReply) -> bool:
    """Return whether one new token is worth one more try."""
    return reply.meaning.wants_new_token


def hold_seconds(reply: GraphReply) -> float | None:
    """Return how long every instance has to hold because Graph asks for it; None where it does not."""
    return reply.retry_after_seconds if reply.meaning.holds else None


def is_outage(reply: GraphReply) -> bool:
    """Return whether several of these in a row mean that no call gets through."""
    return reply.meaning.outage is not Outage.NONE


def is_outage_for_all(reply: GraphReply) -> bool:
    """Return whether the first one means that no call gets through."""
    return reply.meaning.outage is Outage.AT_ONCE


def is_success(reply: GraphReply) -> bool:
    """Return whether Graph did what it was asked."""
    return reply.kind is ReplyKind.SUCCESS


def is_refusal(reply: GraphReply) -> bool:
    """Return whether this is Graph's own final answer."""
    return reply.meaning.refusal


def is_answer(reply: GraphReply) -> bool:
    """Return whether Graph is at work: it did what it was asked, or refused it for good."""
    return is_success(reply) or is_refusal(reply)


def refuses_every_value(reply: GraphReply) -> bool:
    """Return whether no other values of this user status would fare better: it, or its route, does not exist."""
    return reply.kind is ReplyKind.ROUTE_MISSING or (is_refusal(reply) and reply.status_code == 404)  # noqa: PLR2004 - Not Found


def may_still_land(reply: GraphReply) -> bool:
    """Return whether the write may be applied after this reply."""
    return reply.meaning.may_still_land


def may_have_landed(reply: GraphReply) -> bool:
    """Return whether nobody knows if the write was, or will be, applied."""
    return reply.meaning.may_have_landed or reply.meaning.may_still_land


def message_of(reply: GraphReply) -> str:
    """Return what happened, in one sentence of ours with Graph's own words."""
    text, words = reply.meaning.text, reply.identity_fault or reply.message
    if text is None:
        return words or f"Graph answered {reply.status_code}."
    ours = text.format(status=reply.status_code)
    return f"{ours}: {words}"[:MAX_MESSAGE_LENGTH] if words else f"{ours}."


def _delay(reply: GraphReply, attempt: int, jitter: float, policy: RetryPolicy) -> float:
    """Return the seconds to wait: the full-jitter backoff of this attempt, longer where Graph asks for it."""
    ceiling = min(policy.max_seconds, policy.base_seconds * float(1 << min(attempt - 1, _MAX_EXPONENT)))
    backoff = ceiling * jitter
    if reply.retry_after_seconds is not None:
        return max(reply.retry_after_seconds + jitter, backoff)
    if reply.kind is ReplyKind.THROTTLED:
        return max(policy.quota_window_seconds, backoff) + jitter
    return backoff
