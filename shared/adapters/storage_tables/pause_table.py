"""Pauses in a table: a partition with all of them, one with what each holds, and one with the brake's counts.

Ids are UUIDv7, so the order of keys is the order of acceptance.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from shared.adapters.storage_tables.rows import known_members, readable
from shared.adapters.storage_tables.table import Entity, Row, Table, chunks, joined
from shared.core.pause import NO_WRITES, BrakeCount, Kind, Pause, Phase, Scope
from shared.service.ports.pauses import StoredPause
from shared.service.ports.storage import Conflict

_PAUSES, _BRAKE = "pause", "brake"
_KEY_ALONE = ["RowKey"]
_OF_PARTITION = "PartitionKey eq @partition"


class PauseTable:
    """``PauseStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def list(self) -> Sequence[StoredPause]:
        """Return every pause; one query."""
        return tuple(readable(self._table.query(_OF_PARTITION, {"partition": _PAUSES}), _stored))

    def get(self, pause_id: str) -> StoredPause | None:
        """Return one; a point read."""
        found = self._table.get(_PAUSES, pause_id)
        return found and StoredPause(_from_row(found[0]), found[1])

    def insert(self, pause: Pause) -> bool:
        """Insert it; one call."""
        return self._table.insert(_to_row(pause)) is not None

    def replace(self, pause: Pause, etag: str) -> None:
        """Replace it. Raise ``Conflict``."""
        self._table.replace(_to_row(pause), etag)

    def delete(self, pause_id: str) -> None:
        """Delete it; one call."""
        self._table.delete(_PAUSES, pause_id)

    def hold(self, pause_id: str, update_id: str) -> None:
        """Insert the held update's row; one call."""
        self._table.insert({"PartitionKey": _held(pause_id), "RowKey": update_id})

    def held(self, pause_id: str, top: int) -> Sequence[str]:
        """Return a page of the partition, which its keys order."""
        found: list[str] = []
        onward: Any = None
        while len(found) < top:
            rows, onward = self._table.page(
                _OF_PARTITION, {"partition": _held(pause_id)}, top - len(found), onward, _KEY_ALONE
            )
            found += [str(row["RowKey"]) for row in rows]
            if onward is None:
                break
        return found

    def held_count(self, pause_id: str) -> int:
        """Count the partition's rows: a call for each thousand."""
        return sum(1 for _ in self._table.query(_OF_PARTITION, {"partition": _held(pause_id)}, _KEY_ALONE))

    def release(self, pause_id: str, update_id: str) -> None:
        """Delete the held update's row; one call."""
        self._table.delete(_held(pause_id), update_id)


class BrakeTable:
    """``BrakeStore`` on a table: a row for each status."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, status: str) -> tuple[BrakeCount, str | None]:
        """Return the count and its etag; a point read."""
        found = self._table.get(_BRAKE, status)
        if found is None:
            return NO_WRITES, None
        row, etag = found
        return BrakeCount(**known_members(BrakeCount, joined("Count", row))), etag

    def write(self, status: str, count: BrakeCount, etag: str | None) -> None:
        """Replace the count. Raise ``Conflict``."""
        row = {"PartitionKey": _BRAKE, "RowKey": status, **chunks("Count", asdict(count))}
        if etag is not None:
            self._table.replace(row, etag)
        elif self._table.insert(row) is None:
            raise Conflict


def _held(pause_id: str) -> str:
    return f"held-{pause_id}"


def _to_row(pause: Pause) -> Entity:
    members = {
        "kind": pause.kind,
        "reason": pause.reason,
        "scope": pause.scope.to_json(),
        "created_by": pause.created_by,
        "ends": pause.ends and pause.ends.isoformat(),
        "changed": pause.changed.isoformat(),
        "phase": pause.phase,
    }
    return {"PartitionKey": _PAUSES, "RowKey": pause.id, **chunks("Pause", members)}


def _from_row(row: Row) -> Pause:
    members = joined("Pause", row)
    return Pause(
        id=row["RowKey"],
        kind=Kind(members["kind"]),
        reason=members["reason"],
        scope=Scope.from_json(members["scope"]),
        created_by=members["created_by"],
        ends=members["ends"] and datetime.fromisoformat(members["ends"]),
        changed=datetime.fromisoformat(members["changed"]),
        phase=Phase(members["phase"]),
    )


def _stored(row: Row) -> StoredPause:
    return StoredPause(_from_row(row), row.metadata["etag"])  # type: ignore[attr-defined]
