"""A user status: its row, and one insert-only row for each acceptance that is not settled yet, side by side.

``RowKey`` = the user status's key, for an acceptance with the update's id behind it; ``PartitionKey`` = the key's first
digit: one user status is read by one range and changed in one transaction, and many are registered in few.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched, groupby
from typing import Any

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.rows import readable
from shared.adapters.storage_tables.table import Entity, Row, Table
from shared.core.basics.version import Version
from shared.core.delivery.user_status import Acceptance, Lease, Snapshot, UserStatusRow, Value, graph_properties
from shared.service.ports.storage import ScanPage, UserStatusEntry

_RANGE = "PartitionKey eq @partition and RowKey ge @key and RowKey lt @end"
_BEHIND = "-"
#: Sorts after every acceptance of a user status, and before the next one.
_END = "~"
#: An entity group transaction holds 100 operations, one of which is the row's own (docs/graph-facts.md#f44).
_IN_ONE_GO = 99


class UserStatusTable:
    """``UserStatusStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def register(self, key: str, acceptance: Acceptance) -> None:
        """Insert the acceptance; one that is there stays as it is."""
        self._table.insert(_registered(key, acceptance))

    def register_all(self, acceptances: Sequence[tuple[str, Acceptance]]) -> None:
        """Insert a hundred of a partition in a call; where one is there already, its hundred goes one by one."""
        rows = sorted(
            (_registered(key, acceptance) for key, acceptance in acceptances), key=lambda row: str(row["PartitionKey"])
        )
        for _, group in groupby(rows, key=lambda row: row["PartitionKey"]):
            for batch in batched(group, _IN_ONE_GO, strict=False):
                if not self._table.insert_all(list(batch)):
                    for row in batch:
                        self._table.insert(row)

    def read(self, key: str, limit: int | None = None) -> Snapshot:
        """Return the user status with its acceptances, or up to ``limit`` of them; one query, the row comes first."""
        row, etag, registered = None, None, list[Row]()
        parameters = {"partition": _partition(key), "key": key, "end": key + _END}
        rows: Iterable[Row]
        if limit is None:
            rows, more = self._table.query(_RANGE, parameters), None
        else:
            rows, more = self._table.page(_RANGE, parameters, limit + 1)
        for entity in rows:
            if entity["RowKey"] == key:
                row, etag = _read_row(entity), entity.metadata["etag"]  # type: ignore[attr-defined]
            else:
                registered.append(entity)
        accepted = readable(registered, lambda entity: _read_acceptance(key, entity))
        return Snapshot(row, etag, tuple(accepted), whole=more is None)

    def commit(
        self,
        key: str,
        row: UserStatusRow,
        etag: str | None,
        *,
        registered: Iterable[Acceptance] = (),
        settled: Iterable[str] = (),
    ) -> str:
        """Return the new etag; one call, and one for each further hundred of settled acceptances, which go first."""
        partition = _partition(key)
        entity = {"PartitionKey": partition, "RowKey": key} | _written_row(row)
        news = [_registered(key, acceptance) for acceptance in registered]
        gone = [key + _BEHIND + update_id for update_id in settled]
        for batch in batched(gone[_IN_ONE_GO:], _IN_ONE_GO, strict=False):
            self._table.delete_all(partition, list(batch))
        try:
            return self._table.commit(entity, etag, created=news, deleted=gone[:_IN_ONE_GO])
        except KeyError:  # one of them is gone already
            changed = self._table.commit(entity, etag, created=news)
            self._table.delete_all(partition, gone[:_IN_ONE_GO])
            return changed

    def withdraw(self, key: str, update_id: str) -> None:
        """Delete the acceptance, whether it is there or not."""
        self._table.delete(_partition(key), key + _BEHIND + update_id)

    def scan(self, top: int, continuation: str | None = None) -> ScanPage[UserStatusEntry]:
        """Return a page of the table's own paging."""
        rows, onward = self._table.page("PartitionKey ge ''", {}, top, leading.read(continuation))
        return ScanPage(tuple(readable(rows, _holding)), leading.written(onward))


def _partition(key: str) -> str:
    return key[0]


def _registered(key: str, acceptance: Acceptance) -> Entity:
    keys = {"PartitionKey": _partition(key), "RowKey": key + _BEHIND + acceptance.update_id}
    return keys | _written(acceptance)


def _written(acceptance: Acceptance) -> Entity:
    return {"Version": acceptance.version.to_text(), "Properties": json.dumps(dict(acceptance.properties))}


def _read_acceptance(key: str, entity: Row) -> Acceptance:
    update_id = entity["RowKey"].removeprefix(key + _BEHIND)
    return Acceptance(update_id, Version.from_text(entity["Version"]), json.loads(entity["Properties"]))


def _holding(entity: Row) -> UserStatusEntry:
    key, behind, _ = entity["RowKey"].partition(_BEHIND)
    if behind:
        return UserStatusEntry(key, None, _read_acceptance(key, entity).properties)
    row = _read_row(entity)
    return UserStatusEntry(key, row.user_status_id, graph_properties(row.confirmed))


def _written_row(row: UserStatusRow) -> Entity:
    confirmed = {name: [value.value, value.version.to_text(), value.update_id] for name, value in row.confirmed.items()}
    lease = row.lease and [row.lease.holder, row.lease.taken.isoformat(), row.lease.until.isoformat()]
    return {
        "PolicyId": row.policy_id,
        "UserStatusId": row.user_status_id,
        "Confirmed": json.dumps(confirmed),
        "Lease": json.dumps(lease),
        "Uncertain": json.dumps(sorted(row.uncertain)),
    }


def _read_lease(holder: str, taken: str, until: str, *_unknown: Any) -> Lease:
    return Lease(holder, datetime.fromisoformat(taken), datetime.fromisoformat(until))


def _read_row(entity: Row) -> UserStatusRow:
    confirmed: dict[str, list[Any]] = json.loads(entity["Confirmed"])
    lease = json.loads(entity["Lease"])
    return UserStatusRow(
        entity["PolicyId"],
        entity["UserStatusId"],
        {name: Value(value, Version.from_text(version), by) for name, (value, version, by, *_) in confirmed.items()},
        _read_lease(*lease) if lease else None,
        frozenset(json.loads(entity.get("Uncertain", "[]"))),
    )
