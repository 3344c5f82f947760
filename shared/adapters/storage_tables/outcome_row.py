"""An outcome as a row, keyed newest first by its id, and back.

``PartitionKey`` = a constant minus the id's hour, ``RowKey`` = the complement of the id: a point read from the id
alone, and the table's natural order is the list's. Members that lists leave out are kept apart, so that lists do not
read them.
"""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.adapters.storage_tables.table import Entity, Row, chunks, joined
from shared.core.basics.version import Version
from shared.core.delivery.outcome import Attempt, Outcome, State, Tombstone
from shared.core.intake.update import Update, parse_update

_ALL_HOURS = 99_999_999
_ALL_IDS = (1 << 128) - 1
_MILLISECONDS_AN_HOUR = 3_600_000
_STATES = {state.name: state for state in State}

#: What lists read.
LISTED = ["PartitionKey", "RowKey", "State", "Summary0", "Summary1"]


def keys(update_id: str) -> tuple[str, str]:
    """Partition and row key of an update's outcome."""
    number = UUID(update_id).int
    return partition_at(number >> 80), f"{_ALL_IDS - number:032x}"


def partition_at(milliseconds: int) -> str:
    """The partition of the outcomes accepted in that hour."""
    return f"{_ALL_HOURS - milliseconds // _MILLISECONDS_AN_HOUR:08d}"


def bound(moment: datetime) -> tuple[str, str]:
    """The keys of the last place that an outcome accepted at or after that moment can have."""
    milliseconds = -int(-moment.timestamp() * 1000 // 1)
    return partition_at(milliseconds), f"{_ALL_IDS - (milliseconds << 80):032x}"


def to_row(outcome: Outcome) -> Entity:
    """All of it; a few members also as columns of their own, to filter by."""
    partition, row = keys(outcome.id)
    named = outcome.named
    columns: Entity = {
        "PartitionKey": partition,
        "RowKey": row,
        "State": outcome.state.name,
        "PolicyId": ((named and named.device_compliance_policy_id) or "").lower(),
        "UserStatusId": (named and named.device_compliance_user_status_id) or "",
        "Source": (named and named.source) or "",
        "IdempotencyKey": (named and named.idempotency_key) or "",
        "ErrorCode": (outcome.error or {}).get("code", ""),
    }
    return columns | chunks("Summary", _summary(outcome)) | chunks("Detail", _detail(outcome))


def from_row(row: Row) -> Outcome:
    """The outcome; from a list's row without what lists leave out."""
    summary: dict[str, Any] = joined("Summary", row)
    detail: dict[str, Any] = joined("Detail", row) or {}
    update = _update(summary.pop("message"), summary.pop("resolved", None))
    version = summary.pop("version")
    erased = summary.pop("erased", None)
    return Outcome(
        id=str(UUID(int=_ALL_IDS - int(row["RowKey"], 16))),
        state=_STATES[row["State"]],
        last_action=datetime.fromisoformat(summary.pop("last_action")),
        next_attempt=_moment(summary.pop("next_attempt")),
        update=update,
        erased=Tombstone(**erased) if erased is not None else None,
        version=Version.from_text(version) if version else None,
        attempts=tuple(_attempt(one) for one in detail.pop("attempts", ())),
        **summary,
        **detail,
    )


def _summary(outcome: Outcome) -> dict[str, Any]:
    return {
        "message": outcome.update and outcome.update.message,
        "resolved": outcome.update and outcome.update.resolved,
        "version": outcome.version and outcome.version.to_text(),
        "last_action": outcome.last_action.isoformat(),
        "next_attempt": outcome.next_attempt and outcome.next_attempt.isoformat(),
        "attempt": outcome.attempt,
        "submitted_by": outcome.submitted_by,
        "attempt_count": outcome.attempt_count,
        "error": outcome.error,
        "superseded_by": outcome.superseded_by,
        "replay_of": outcome.replay_of,
        "replayed_by": outcome.replayed_by,
        "poisoned": outcome.poisoned,
        "traceparent": outcome.traceparent,
        "erased": outcome.erased and asdict(outcome.erased),
    }


def _detail(outcome: Outcome) -> dict[str, Any]:
    attempts = [asdict(one) | {"started": one.started.isoformat()} for one in outcome.attempts]
    return {
        "attempts": attempts,
        "result": outcome.result,
        "raw_message": outcome.raw_message,
        "raw_message_encoding": outcome.raw_message_encoding,
    }


def _attempt(members: dict[str, Any]) -> Attempt:
    return Attempt(**(members | {"started": datetime.fromisoformat(members["started"])}))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _update(message: Any, resolved: str | None) -> Update | None:
    update = parse_update(message) if message else None
    return replace(update, resolved=resolved) if isinstance(update, Update) else None
