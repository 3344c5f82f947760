"""A pause: updates in its scope are accepted, but not sent before it ends.

An operator makes one, or the brake does: it lets so many writes of a status through in a time, and the next write
opens a pause.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from shared.core.basics.formats import formatted
from shared.core.basics.json_schema import Validator
from shared.core.basics.strict_json import Fault, InvalidMessage
from shared.core.basics.timestamp import format_milliseconds, moment_of
from shared.core.basics.update_id import accepted_at
from shared.core.intake.update import Update
from shared.core.intake.update_schema import POLICY_ID_SCHEMA, SOURCE_SCHEMA, USER_STATUS_SCHEMA

#: Pauses of operators at a time; those of the brake come on top, so that it always works.
MAX_PAUSES = 100
MAX_REASON_LENGTH = 500
#: The members of a scope, by what an update is compared with.
SCOPE_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Which updates are held: those that fit every member. An empty scope is everything.",
    "properties": {
        "deviceCompliancePolicyId": {**POLICY_ID_SCHEMA, "description": "The policy, in either case."},
        "source": {**SOURCE_SCHEMA, "description": "Who sent the update."},
        "status": {**USER_STATUS_SCHEMA["properties"]["status"], "description": "The status that it would write."},
    },
    "additionalProperties": False,
}
REQUEST_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "A pause to begin.",
    "properties": {
        "reason": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_REASON_LENGTH,
            "description": "Why, for other people. No personal data: everyone who may read here sees it.",
        },
        "scope": SCOPE_SCHEMA,
        "endsDateTime": formatted(
            "date-time-100ns", description="When it ends by itself; without it an operator ends it."
        ),
    },
    "required": ["reason"],
    "additionalProperties": False,
}
_REQUEST = Validator(REQUEST_SCHEMA)


class Kind(StrEnum):
    """Who began a pause."""

    OPERATOR = "operator"
    BRAKE = "brake"


class Phase(StrEnum):
    """How far a pause is. It holds updates until it has ended."""

    ACTIVE = "active"
    #: What it holds is being canceled; then it ends.
    CANCELING = "canceling"
    #: What it held is being put back on the queue.
    ENDED = "ended"


@dataclass(frozen=True)
class Scope:
    """Which updates a pause holds: those that fit every member that is not None."""

    policy_id: str | None = None
    source: str | None = None
    status: str | None = None

    def holds(self, update: Update) -> bool:
        """Return whether an update is in the scope."""
        if self.source is not None and self.source != update.source:
            return False
        properties = update.properties()
        return self.holds_values(update.device_compliance_policy_id, str(properties.get("status")))

    def holds_values(self, policy_id: str, status: str | None) -> bool:
        """Return whether an update of this policy and status is in the scope, whatever its source."""
        other_policy = self.policy_id is not None and self.policy_id.lower() != policy_id.lower()
        return not other_policy and self.status in (None, status)

    def to_json(self) -> dict[str, str]:
        """Return the wire's object: the members that are given."""
        members = {"deviceCompliancePolicyId": self.policy_id, "source": self.source, "status": self.status}
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "Scope":
        """Return the scope of the wire's object."""
        return cls(members.get("deviceCompliancePolicyId"), members.get("source"), members.get("status"))


EVERYTHING = Scope()


@dataclass(frozen=True)
class PauseRequest:
    """What an operator asks for."""

    reason: str
    scope: Scope = EVERYTHING
    ends: datetime | None = None


@dataclass(frozen=True)
class Pause:
    """One pause; ``changed`` is when it reached its phase."""

    id: str
    kind: Kind
    reason: str
    scope: Scope
    created_by: str | None
    ends: datetime | None
    changed: datetime
    phase: Phase = Phase.ACTIVE

    @property
    def created(self) -> datetime:
        """When it began: the time in its id, a UUIDv7."""
        return accepted_at(self.id)

    def is_over(self, now: datetime) -> bool:
        """Return whether it holds nothing any more; what it held may still have to be put back."""
        return self.phase is Phase.ENDED or (self.ends is not None and self.ends <= now)


def parse_request(document: Any, now: datetime) -> PauseRequest | InvalidMessage:
    """Return the request in a JSON document, or every fault of it."""
    faults = tuple(dict.fromkeys(_REQUEST.faults(document)))
    if faults:
        return InvalidMessage(faults)
    text = document.get("endsDateTime")
    ends = None if text is None else moment_of(text)
    if ends is not None and ends <= now:
        return InvalidMessage((Fault("/endsDateTime", "is in the past"),))
    return PauseRequest(document["reason"], Scope.from_json(document.get("scope", {})), ends)


#: Common windows of the brake in words.
_SPANS: Final = {60: "a minute", 3600: "an hour", 86400: "a day"}


@dataclass(frozen=True)
class BrakeLimit:
    """So many writes of one status in a time pass; the next one opens a pause."""

    count: int
    window: timedelta

    def in_words(self, status: str) -> str:
        """Return the reason that the brake's pause gives."""
        users, seconds = self.count + 1, int(self.window.total_seconds())
        span = _SPANS.get(seconds, f"{seconds} seconds")
        return (
            f"{users} users would have become {status} within {span}. "
            "Nothing more is sent for that status until you decide."
        )


@dataclass(frozen=True)
class BrakeCount:
    """The writes of one status: when each was made (milliseconds since 1970), by a digest of its update.

    ``pause_id`` is the pause that the brake has opened, until that is resumed.
    """

    writes: Mapping[str, int]
    pause_id: str | None = None


NO_WRITES = BrakeCount({})


def passes(count: BrakeCount, digest: str) -> bool:
    """Return whether the brake lets a write through: it holds nothing, or has counted this one before."""
    return count.pause_id is None or digest in count.writes


def count_write(count: BrakeCount, limit: BrakeLimit, digest: str, at: int, pause_id: str) -> BrakeCount:
    """Return the count with one more write; where the limit is reached, with the pause that opens instead.

    A write that was counted is a repetition of the same value, which passes.
    """
    since = at - int(limit.window.total_seconds() * 1000)
    recent = {write: made for write, made in count.writes.items() if made > since}
    if digest in recent or count.pause_id is not None:
        return count
    if len(recent) >= limit.count:
        return BrakeCount(recent, pause_id)
    return BrakeCount({**recent, digest: at})


def resource(pause: Pause, held_count: int) -> dict[str, Any]:
    """Return the JSON object that callers see."""
    return {
        "id": pause.id,
        "kind": str(pause.kind),
        "reason": pause.reason,
        "scope": pause.scope.to_json(),
        "createdBy": pause.created_by,
        "createdDateTime": format_milliseconds(pause.created),
        "endsDateTime": pause.ends and format_milliseconds(pause.ends),
        "heldCount": held_count,
    }
