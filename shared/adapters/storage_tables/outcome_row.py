"""An outcome as a row, keyed newest first by its id, and back.

``PartitionKey`` = a constant minus the id's hour, ``RowKey`` = the complement of the id: a point read from the id
alone, and the table's natural order is the list's. Members that lists leave out are kept apart, so that lists do not
read them. What a newer version wrote and this one does not know goes back into the row as it was.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.adapters.storage_tables.rows import known_members
from shared.adapters.storage_tables.table import CHUNK, Entity, Row, chunks, joined
from shared.core.basics.timestamp import format_milliseconds
from shared.core.basics.version import Version
from shared.core.delivery.outcome import Attempt, Outcome, State, Tombstone
from shared.core.delivery.verification import Verification, VerificationState
from shared.core.intake.update import Update

_ALL_HOURS = 99_999_999
_ALL_IDS = (1 << 128) - 1
_MILLISECONDS_AN_HOUR = 3_600_000
_STATES = {state.name: state for state in State}

#: What lists read; a summary has room in its first two chunks, else the row is read whole.
LISTED = ["PartitionKey", "RowKey", "State", "PutBack", "Moved", "NoticeDue", "Summary0", "Summary1"]
_MAX_SUMMARY = 2 * CHUNK
_COLUMNS = frozenset(
    {"PartitionKey", "RowKey", "State", "PolicyId", "UserStatusId", "Source", "IdempotencyKey", "ErrorCode", "PutBack"}
    | {"Moved", "NoticeDue", "Priority", "VerifyAt"}
)
_CHUNKED = re.compile(r"(?:Summary|Detail|Faults)\d+")
#: Members that are the same in a row and in an outcome.
_PLAIN_SUMMARY = (
    "attempt",
    "submitted_by",
    "attempt_count",
    "superseded_by",
    "replay_of",
    "replayed_by",
    "poisoned",
    "traceparent",
    "held_by",
    "held_seconds",
)
_PLAIN_DETAIL = ("result", "raw_message", "raw_message_encoding")
_SUMMARY = frozenset({*_PLAIN_SUMMARY, "message", "resolved", "version", "last_action", "next_attempt"}) | {
    "error",
    "erased",
    "verification",
}
_DETAIL = frozenset({*_PLAIN_DETAIL, "attempts"})


def keys(update_id: str) -> tuple[str, str]:
    """Return the partition and row key of an update's outcome."""
    number = UUID(update_id).int
    return partition_at(number >> 80), f"{_ALL_IDS - number:032x}"


def id_in(row: Row) -> str:
    """Return the id of the update whose outcome this row holds."""
    return str(UUID(int=_ALL_IDS - int(row["RowKey"], 16)))


def partition_at(milliseconds: int) -> str:
    """Return the partition of the outcomes accepted in that hour, given as milliseconds since 1970."""
    return f"{_ALL_HOURS - milliseconds // _MILLISECONDS_AN_HOUR:08d}"


def hour_at(partition: str) -> datetime:
    """Return the start of the hour whose outcomes that partition holds."""
    return datetime.fromtimestamp((_ALL_HOURS - int(partition)) * _MILLISECONDS_AN_HOUR // 1000, UTC)


def bound(moment: datetime) -> tuple[str, str]:
    """Return the keys of the last place that an outcome accepted at or after that moment can have."""
    milliseconds = -int(-moment.timestamp() * 1000 // 1)
    return partition_at(milliseconds), f"{_ALL_IDS - (milliseconds << 80):032x}"


def to_row(outcome: Outcome) -> Entity:
    """Return the whole outcome as a row; a few members are also columns of their own, to filter by.

    Many faults with long pointers get a chunk of their own, so that lists can read every summary.
    """
    partition, row = keys(outcome.id)
    named, unknown = outcome.named, outcome.unknown
    columns: Entity = {
        **unknown.get("columns", {}),
        "PartitionKey": partition,
        "RowKey": row,
        "State": outcome.state.name,
        "PolicyId": ((named and named.device_compliance_policy_id) or "").lower(),
        "UserStatusId": (named and named.device_compliance_user_status_id) or "",
        "Source": (named and named.source) or "",
        "IdempotencyKey": (named and named.idempotency_key) or "",
        "ErrorCode": (outcome.error or {}).get("code", ""),
    }
    if outcome.update is not None:
        columns["Priority"] = outcome.update.priority
    if outcome.put_back is not None:
        columns["PutBack"] = outcome.put_back.isoformat()
    if outcome.moved is not None:
        columns["Moved"] = outcome.moved.isoformat()
    if outcome.notice_due is not None:
        columns["NoticeDue"] = outcome.notice_due.isoformat()
    if outcome.verify_at is not None:
        columns["VerifyAt"] = format_milliseconds(outcome.verify_at)
    summary, faults = unknown.get("summary", {}) | _summary(outcome), {}
    if outcome.error is not None and "errors" in outcome.error and len(json.dumps(summary)) > _MAX_SUMMARY:
        summary["error"] = {name: value for name, value in outcome.error.items() if name != "errors"}
        faults = chunks("Faults", outcome.error["errors"])
    detail = unknown.get("detail", {}) | _detail(outcome)
    return columns | chunks("Summary", summary) | chunks("Detail", detail) | faults


def from_row(row: Row) -> Outcome:
    """Return the outcome; from a list's row without what lists leave out. Raise one of ``rows.UNREADABLE``."""
    summary: dict[str, Any] = joined("Summary", row)
    detail: dict[str, Any] = joined("Detail", row) or {}
    update, version, erased = summary.get("message"), summary.get("version"), summary.get("erased")
    return Outcome(
        id=id_in(row),
        state=_STATES[row["State"]],
        last_action=datetime.fromisoformat(summary["last_action"]),
        next_attempt=_moment(summary.get("next_attempt")),
        update=Update(dict(update), summary.get("resolved")) if update else None,
        erased=Tombstone(**known_members(Tombstone, erased)) if erased is not None else None,
        version=Version.from_text(version) if version else None,
        attempts=tuple(_attempt(attempt) for attempt in detail.get("attempts", ())),
        error=_error(summary.get("error"), joined("Faults", row)),
        put_back=_moment(row.get("PutBack")),
        moved=_moment(row.get("Moved")),
        notice_due=_moment(row.get("NoticeDue")),
        verify_at=_moment(row.get("VerifyAt")),
        verification=_verification(summary.get("verification")),
        unknown=_unknown(row, summary, detail),
        **{name: summary[name] for name in _PLAIN_SUMMARY if name in summary},
        **{name: detail[name] for name in _PLAIN_DETAIL if name in detail},
    )


def _unknown(row: Row, summary: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: row[name] for name in row if name not in _COLUMNS and not _CHUNKED.fullmatch(name)}
    found = {
        "columns": columns,
        "summary": {name: summary[name] for name in summary.keys() - _SUMMARY},
        "detail": {name: detail[name] for name in detail.keys() - _DETAIL},
    }
    return {name: members for name, members in found.items() if members}


def _error(error: dict[str, Any] | None, faults: list[Any] | None) -> dict[str, Any] | None:
    return error if error is None or faults is None else error | {"errors": faults}


def _summary(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in _PLAIN_SUMMARY} | {
        "message": outcome.update and outcome.update.message,
        "resolved": outcome.update and outcome.update.resolved,
        "version": outcome.version and outcome.version.to_text(),
        "last_action": outcome.last_action.isoformat(),
        "next_attempt": outcome.next_attempt and outcome.next_attempt.isoformat(),
        "error": outcome.error,
        "erased": outcome.erased and asdict(outcome.erased),
        "verification": outcome.verification
        and {"state": outcome.verification.state.value, "checked": outcome.verification.checked.isoformat()},
    }


def _detail(outcome: Outcome) -> dict[str, Any]:
    attempts = [asdict(attempt) | {"started": attempt.started.isoformat()} for attempt in outcome.attempts]
    return {name: getattr(outcome, name) for name in _PLAIN_DETAIL} | {"attempts": attempts}


def _attempt(members: dict[str, Any]) -> Attempt:
    known = known_members(Attempt, members)
    return Attempt(**(known | {"started": datetime.fromisoformat(known["started"])}))


def _verification(members: dict[str, Any] | None) -> Verification | None:
    """Return the verdict; None also for one that only a newer version knows."""
    if members is None or members["state"] not in set(VerificationState):
        return None
    return Verification(VerificationState(members["state"]), datetime.fromisoformat(members["checked"]))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
