"""Erasures in a table: one partition, a row each, by id, so oldest first; there are few."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.rows import known_members, readable
from shared.adapters.storage_tables.table import Entity, Row, Table, chunks, joined
from shared.core.erasure.erasure import Erasure, ErasureState, Progress, Stage
from shared.core.erasure.subject import Subject
from shared.service.ports.storage import Conflict, Purged, StoredErasure

_PARTITION = "erasure"


class ErasureTable:
    """``ErasureStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, erasure_id: str) -> StoredErasure | None:
        """Return the erasure; one point read."""
        found = self._table.get(_PARTITION, erasure_id)
        return found and StoredErasure(_from_row(found[0]), found[1])

    def insert(self, erasure: Erasure) -> str:
        """Return the etag. Raise ``Conflict`` where there is one of that id."""
        etag = self._table.insert(_to_row(erasure))
        if etag is None:
            raise Conflict(erasure.id)
        return etag

    def replace(self, erasure: Erasure, etag: str) -> str:
        """Return the new etag. Raise ``Conflict``."""
        return self._table.replace(_to_row(erasure), etag)

    def open(self, most: int) -> list[StoredErasure]:
        """Return those that are not final, oldest first; one query."""
        rows, _ = self._table.page("PartitionKey eq @partition and Final eq @final", _is(final=False), most)
        return list(readable(rows, _stored))

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        """Delete up to ``limit`` that became final before that time."""
        text = "PartitionKey eq @partition and Final eq @final and LastAction lt @before"
        parameters = _is(final=True) | {"before": before.isoformat()}
        rows, onward = self._table.page(text, parameters, limit, leading.read(continuation), ["RowKey"])
        for row in rows:
            self._table.delete(_PARTITION, row["RowKey"])
        return Purged(len(rows), leading.written(onward))


def _is(*, final: bool) -> Entity:
    return {"partition": _PARTITION, "final": final}


def _stored(row: Row) -> StoredErasure:
    return StoredErasure(_from_row(row), row.metadata["etag"])  # type: ignore[attr-defined]


def _to_row(erasure: Erasure) -> Entity:
    progress = asdict(erasure.progress) | {"stage": erasure.progress.stage.value}
    columns: Entity = {
        "PartitionKey": _PARTITION,
        "RowKey": erasure.id,
        "State": erasure.state.value,
        "Final": erasure.state.final,
        "LastAction": erasure.last_action.isoformat(),
        "UpdatesErased": erasure.updates_erased,
        "UserStatusesErased": erasure.user_statuses_erased,
    }
    subject = erasure.subject and asdict(erasure.subject)
    return columns | chunks("Subject", subject) | chunks("Progress", progress)


def _from_row(row: Row) -> Erasure:
    subject, progress = joined("Subject", row), joined("Progress", row)
    return Erasure(
        id=row["RowKey"],
        subject=Subject(**known_members(Subject, subject)) if subject is not None else None,
        state=ErasureState(row["State"]),
        last_action=datetime.fromisoformat(row["LastAction"]),
        progress=_progress(progress),
        updates_erased=row["UpdatesErased"],
        user_statuses_erased=row["UserStatusesErased"],
    )


def _progress(members: dict[str, Any]) -> Progress:
    known = known_members(Progress, members)
    lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return Progress(**(known | lists | {"stage": Stage(known["stage"])}))
