"""One partition a user status: its row, and one insert-only row for each acceptance that is not settled yet."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.adapters.storage_tables.table import Entity, Row, Table
from shared.core.user_status import Acceptance, Lease, Snapshot, UserStatusRow, Value
from shared.core.version import Version
from shared.service.ports import Conflict

_ROW = "row"
_ACCEPTED = "accepted-"
#: An entity group transaction holds 100 operations, one of which is the row's own (F44).
_IN_ONE_GO = 99


class UserStatusTable:
    """``UserStatusStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def register(self, key: str, acceptance: Acceptance) -> None:
        """Insert-only."""
        self._table.insert({"PartitionKey": key, "RowKey": _ACCEPTED + acceptance.update_id} | _written(acceptance))

    def read(self, key: str) -> Snapshot:
        """The whole partition in one query."""
        row, etag, accepted = None, None, []
        for entity in self._table.query("PartitionKey eq @key", {"key": key}):
            if entity["RowKey"] == _ROW:
                row, etag = _read_row(entity), entity.metadata["etag"]  # type: ignore[attr-defined]
            else:
                accepted.append(_read_acceptance(entity))
        return Snapshot(row, etag, tuple(accepted), frozenset(one.update_id for one in accepted))

    def commit(self, key: str, row: UserStatusRow, etag: str | None, settled: Iterable[str] = ()) -> str:
        """One call, or a few more where a hundred acceptances are settled at once."""
        entity = {"PartitionKey": key, "RowKey": _ROW} | _written_row(row)
        gone = [_ACCEPTED + update_id for update_id in settled]
        if etag is None:
            created = self._table.insert(entity)
            if created is None:
                raise Conflict
            return self._drop(key, gone, created)
        if not gone:
            return self._table.replace(entity, etag)
        try:
            changed = self._table.replace_and_delete(entity, etag, [(key, name) for name in gone[:_IN_ONE_GO]])
        except KeyError:  # one of them is gone already
            return self._drop(key, gone, self._table.replace(entity, etag))
        return self._drop(key, gone[_IN_ONE_GO:], changed)

    def withdraw(self, key: str, update_id: str) -> None:
        """There or not."""
        self._table.delete(key, _ACCEPTED + update_id)

    def _drop(self, key: str, names: list[str], etag: str) -> str:
        for name in names:
            self._table.delete(key, name)
        return etag


def _written(acceptance: Acceptance) -> Entity:
    return {"Version": acceptance.version.to_text(), "Properties": json.dumps(dict(acceptance.properties))}


def _read_acceptance(entity: Row) -> Acceptance:
    update_id = entity["RowKey"].removeprefix(_ACCEPTED)
    return Acceptance(update_id, Version.from_text(entity["Version"]), json.loads(entity["Properties"]))


def _written_row(row: UserStatusRow) -> Entity:
    confirmed = {name: [one.value, one.version.to_text(), one.update_id] for name, one in row.confirmed.items()}
    lease = row.lease and [row.lease.holder, row.lease.taken.isoformat(), row.lease.until.isoformat()]
    return {
        "PolicyId": row.policy_id, "UserStatusId": row.user_status_id,
        "Confirmed": json.dumps(confirmed), "Lease": json.dumps(lease),
    }  # fmt: skip


def _read_row(entity: Row) -> UserStatusRow:
    confirmed: dict[str, list[Any]] = json.loads(entity["Confirmed"])
    lease = json.loads(entity["Lease"])
    return UserStatusRow(
        entity["PolicyId"],
        entity["UserStatusId"],
        {name: Value(value, Version.from_text(version), by) for name, (value, version, by) in confirmed.items()},
        Lease(lease[0], datetime.fromisoformat(lease[1]), datetime.fromisoformat(lease[2])) if lease else None,
    )
