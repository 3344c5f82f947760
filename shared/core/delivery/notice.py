"""An outcome notice: the CloudEvents 1.0 event of a final outcome, and its message in the outbox queue.

The outbox carries the update's id alone. The event is made of the outcome when it is sent, so what was erased in
between is in no event, and no event is larger than what its sender can take.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared.core.basics.timestamp import format_milliseconds
from shared.core.basics.update_id import is_update_id
from shared.core.delivery.outcome import Outcome
from shared.core.delivery.resource import resource
from shared.core.intake.queue_text import decoded

#: From the update's end on, a notice is tried this long.
PATIENCE: Final = timedelta(hours=24)
#: 2 to this power exceeds any pause; clamped before the power is taken, so any attempt number will do.
_MAX_EXPONENT = 30
_TYPE: Final = "ComplianceStatusRelay.Update."
#: What may hold a person's name or an outsider's words; ``error`` is reduced to its code.
_PERSONAL: Final = ("userStatus", "userPrincipalName", "result", "rawMessage", "rawMessageEncoding")


@dataclass(frozen=True)
class Notice:
    """A message of the outbox: whose outcome, since when the notice is due, and which attempt this is, from 1.

    ``source`` is the update's: with it a notice that has to wait costs no look at the outcome.
    """

    update_id: str
    due: datetime
    source: str | None = None
    attempt: int = 1

    @property
    def expires(self) -> datetime:
        """From when on the notice is not tried any more."""
        return self.due + PATIENCE

    def to_json(self) -> str:
        """Return the message's text."""
        members = {"id": self.update_id, "source": self.source, "dueDateTime": self.due.isoformat()}
        return json.dumps(members | {"attempt": self.attempt})

    def next_attempt(self) -> "Notice":
        """Return the message of the attempt that follows."""
        return replace(self, attempt=self.attempt + 1)


def read_notice(body: bytes) -> Notice | None:
    """Return the message, plain or base64 as the queue holds it; None where it is none of ours."""
    try:
        document = json.loads(decoded(body))
        due = datetime.fromisoformat(document["dueDateTime"])
        source = None if document.get("source") is None else str(document["source"])
        notice = Notice(str(document["id"]), due, source, max(1, int(document["attempt"])))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return notice if is_update_id(notice.update_id) and due.tzinfo is not None else None


@dataclass(frozen=True)
class NoticeBackoff:
    """The pauses between the attempts of a notice: from ``base_seconds``, doubled each time, to ``max_seconds``."""

    base_seconds: float
    max_seconds: float

    def pause(self, attempt: int, jitter: float) -> timedelta:
        """Return the pause after that many failures; at least half of it is waited (``jitter`` from 0 to 1)."""
        ceiling = min(self.max_seconds, self.base_seconds * float(1 << min(attempt - 1, _MAX_EXPONENT)))
        return timedelta(seconds=ceiling * (0.5 + jitter / 2))


def event_of(outcome: Outcome, origin: str) -> dict[str, Any]:
    """Return the structured event of a final outcome; ``origin`` is the relay's address, its ``source``.

    It has one id for ever, the update's: an update ends once.
    """
    named = outcome.named
    event: dict[str, Any] = {
        "specversion": "1.0",
        "type": _TYPE + outcome.state.status.capitalize(),
        "id": outcome.id,
        "source": origin,
        "time": format_milliseconds(outcome.last_action),
        "datacontenttype": "application/json",
        "data": _data(outcome),
    }
    if named is not None and named.device_compliance_policy_id is not None:
        event["subject"] = f"{named.device_compliance_policy_id}/{named.device_compliance_user_status_id or ''}"
    return event


def _data(outcome: Outcome) -> dict[str, Any]:
    members = {name: value for name, value in resource(outcome).items() if name not in _PERSONAL}
    return members | {"error": outcome.error and _error(outcome.error)}


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: error[name] for name in ("code", "innerError") if name in error}
