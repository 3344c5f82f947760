"""The state of every row, in a private SQLite file that ends with the process: memory does not grow with the rows.

A row's state is ``invalid``, ``repeated`` (the same as an earlier row), ``notSent``, ``refused``, or the status of
its update.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from relay.rows.row import InvalidRow, Row

STATUSES = ("notStarted", "running", "succeeded", "failed", "canceled")
FINAL = ("succeeded", "failed", "canceled")
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -4096;
CREATE TABLE rows (
    line INTEGER PRIMARY KEY, user TEXT, source TEXT, key TEXT, fingerprint TEXT, message TEXT, same_as INTEGER,
    id TEXT, status TEXT, detail TEXT, code TEXT, error TEXT, ended INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX one_key ON rows (source, key) WHERE same_as IS NULL AND key IS NOT NULL;
CREATE INDEX open_ids ON rows (source, id) WHERE id IS NOT NULL AND ended = 0;
CREATE INDEX to_send ON rows (line) WHERE message IS NOT NULL AND status IS NULL;
CREATE VIEW entries AS
SELECT r.line, coalesce(r.user, f.user) AS user, coalesce(r.status, f.status, 'notSent') AS status,
    coalesce(r.detail, f.detail) AS detail, coalesce(r.id, f.id) AS id, coalesce(r.code, f.code) AS code,
    coalesce(r.error, f.error) AS error, r.same_as,
    CASE WHEN r.same_as IS NULL THEN coalesce(r.status, 'notSent') ELSE 'repeated' END AS state
FROM rows r LEFT JOIN rows f ON f.line = r.same_as;
"""
_EMPTY_BODY = len('{"updates":[]}')


@dataclass(frozen=True)
class EarlierRow:
    """An earlier row with the same key; ``is_same_update`` tells a repetition from a conflict."""

    line: int
    is_same_update: bool


@dataclass(frozen=True)
class LogEntry:
    """A row and what became of it."""

    line: int
    user: str | None
    status: str
    detail: str | None
    id: str | None
    code: str | None
    error: str | None
    same_as: int | None

    @property
    def reasons(self) -> list[str]:
        """Return all faults of an invalid row, or the one error of another."""
        if self.status == "invalid":
            return [str(fault) for fault in json.loads(self.error or "[]")]
        return [self.error] if self.error else []


class SubmissionLog:
    """All rows of one submission; ``with`` closes it."""

    def __init__(self) -> None:
        # The empty name makes a temporary file that SQLite deletes, whatever happens to this process.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def add(self, row: Row) -> EarlierRow | None:
        """Add a valid row; return an earlier one with the same key. A conflict is not added."""
        update = row.update
        user = update.device_compliance_user_status_id or update.user_principal_name
        identity = (update.source, update.idempotency_key, update.fingerprint())
        first = self._rows.execute(
            "SELECT line, fingerprint FROM rows WHERE source = ? AND key = ? AND same_as IS NULL", identity[:2]
        ).fetchone()
        message = None if first else json.dumps(update.message, ensure_ascii=False, separators=(",", ":"))
        if first and first[1] != identity[2]:
            return EarlierRow(first[0], is_same_update=False)
        self._rows.execute(
            "INSERT INTO rows (line, user, source, key, fingerprint, message, same_as) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row.line, user, *identity, message, first and first[0]),
        )
        return EarlierRow(first[0], is_same_update=True) if first else None

    def add_invalid(self, row: InvalidRow) -> None:
        """Add a row that will not be sent."""
        error = json.dumps([f"{fault.at} {fault.detail}".strip() for fault in row.faults])
        self._rows.execute(
            "INSERT INTO rows (line, status, code, error) VALUES (?, 'invalid', 'invalidRow', ?)", (row.line, error)
        )

    def next_batch(self, max_rows: int, max_bytes: int) -> list[tuple[int, str]]:
        """Return the lines and JSON messages of the next rows to send, at least one in any size."""
        batch: list[tuple[int, str]] = []
        size = _EMPTY_BODY
        for line, message in self._rows.execute(
            "SELECT line, message FROM rows WHERE message IS NOT NULL AND status IS NULL ORDER BY line LIMIT ?",
            (max_rows,),
        ):
            size += len(message.encode()) + 1
            if batch and size > max_bytes:
                break
            batch.append((line, message))
        return batch

    def mark_accepted(self, updates: Sequence[tuple[int, str, str]]) -> None:
        """Set the update ids and statuses of lines."""
        rows = [(update_id, status, line) for line, update_id, status in updates]
        self._rows.executemany("UPDATE rows SET id = ?, status = ? WHERE line = ?", rows)

    def mark_refused(self, line: int, error: Mapping[str, Any]) -> None:
        """Set the error with which the relay refused a line."""
        faults = [f"{fault.get('pointer')} {fault.get('detail')}" for fault in error.get("errors") or () if fault]
        text = "; ".join([str(error.get("message", "")), *faults])
        self._rows.execute(
            "UPDATE rows SET status = 'refused', code = ?, error = ? WHERE line = ?", (error.get("code"), text, line)
        )

    def mark_final(self, source: str, update: Mapping[str, Any]) -> int:
        """Set the outcome of an update; return 0 for one of another submission, or one that was final before."""
        error = update.get("error") or {}
        outcome = (update["status"], update.get("statusDetail"), error.get("code"), error.get("message"))
        return self._rows.execute(
            "UPDATE rows SET status = ?, detail = ?, code = ?, error = ?, ended = 1"
            " WHERE source = ? AND id = ? AND ended = 0",
            (*outcome, source, update.get("id")),
        ).rowcount

    def open_updates_after(self, source: str, update_id: str, max_rows: int) -> list[tuple[str, str]]:
        """Return sources and ids of updates that are not final, in this order, after the given one."""
        return self._rows.execute(
            "SELECT source, id FROM rows WHERE id IS NOT NULL AND ended = 0 AND (source, id) > (?, ?)"
            " ORDER BY source, id LIMIT ?",
            (source, update_id, max_rows),
        ).fetchall()

    def states(self) -> Counter[str]:
        """Return how many rows are in each state."""
        return Counter(dict(self._rows.execute("SELECT state, count(*) FROM entries GROUP BY state").fetchall()))

    def details(self) -> dict[str, int]:
        """Return how many updates have each status detail."""
        text = "SELECT detail, count(*) FROM rows WHERE detail IS NOT NULL GROUP BY detail"
        return dict(self._rows.execute(text).fetchall())

    def count_open(self) -> int:
        """Return how many accepted updates are not known to be final."""
        text = "SELECT count(*) FROM rows WHERE id IS NOT NULL AND ended = 0"
        count: int = self._rows.execute(text).fetchone()[0]
        return count

    def entries(self, *states: str, max_rows: int = -1) -> Iterator[LogEntry]:
        """Yield rows in these states (none: all) by line; a repetition has the outcome of the row that it repeats."""
        text = (
            "SELECT line, user, status, detail, id, code, error, same_as FROM entries"
            " WHERE ? OR state IN (SELECT value FROM json_each(?)) ORDER BY line LIMIT ?"
        )
        for values in self._rows.execute(text, (not states, json.dumps(states), max_rows)):
            yield LogEntry(*values)


def count_accepted(states: Mapping[str, int]) -> int:
    """Return how many rows the relay accepted as updates."""
    return sum(states.get(status, 0) for status in STATUSES)
