"""An audit record: who did what to what, and what came of it; no personal data.

A record is written before its action begins, with the result ``started``, and its result is written once the action has
ended. A record that says ``started`` for long is of an action whose end nobody recorded: the process died meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shared.core.basics.formats import formatted
from shared.core.basics.timestamp import format_milliseconds
from shared.core.basics.update_id import accepted_at


class Action(StrEnum):
    """What is recorded, as the wire names it; what each one's ``target`` is."""

    #: The update's id.
    CANCEL = "cancel"
    #: The update's id; None for a replay by filter, since a filter may name a person.
    REPLAY = "replay"
    #: None: the record says only that an erasure was requested.
    ERASE = "erase"
    #: The policy's id; the user status is left out, since its id may name a person.
    PROBE = "probe"
    #: The pause's id.
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL_UPDATES = "cancelUpdates"


class Result(StrEnum):
    """What came of an action."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    #: The relay declined: the update is final, or on its way.
    REFUSED = "refused"
    NOT_FOUND = "notFound"
    FAILED = "failed"


@dataclass(frozen=True)
class AuditRecord:
    """One action. ``by`` is the caller's Entra object id, None where the caller is known by a key alone."""

    id: str
    #: An ``Action``, or one that only a newer version of this app knows; so is the result.
    action: str
    by: str | None
    target: str | None
    result: str = Result.STARTED

    @property
    def created(self) -> datetime:
        """When the action began: the time in its id, a UUIDv7."""
        return accepted_at(self.id)


#: A record as its resource's schema shows it.
AUDIT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "One action: who did what to what, and what came of it. Without personal data.",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "createdDateTime": {"type": "string", "format": "date-time"},
        "action": {"enum": list(Action)},
        "by": {
            "type": ["string", "null"],
            "description": "The Entra object id of the caller; null where it is known by a function key alone.",
        },
        "target": {
            "type": ["string", "null"],
            "description": "The id of an update or a pause, or a policy's id for a probe; null for an erasure and a "
            "replay by filter.",
        },
        "result": {
            "enum": list(Result),
            "description": "`started`: not ended yet, or the process died before it could record the end.",
        },
    },
    "required": ["id", "createdDateTime", "action", "by", "target", "result"],
    "additionalProperties": False,
}
#: The filters of the list, by name: what each accepts.
AUDIT_FILTERS: Final[dict[str, Mapping[str, Any]]] = {
    "action": {"type": "string", "enum": tuple(Action), "description": "What was done."},
    "createdAfter": formatted("date-time-any-offset", description="Begun at this time or later."),
    "createdBefore": formatted("date-time-any-offset", description="Begun before this time."),
}


def resource(record: AuditRecord) -> dict[str, Any]:
    """Return the JSON object that callers see."""
    return {
        "id": record.id,
        "createdDateTime": format_milliseconds(record.created),
        "action": str(record.action),
        "by": record.by,
        "target": record.target,
        "result": str(record.result),
    }
