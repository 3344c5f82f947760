"""What is known of every row, in a private SQLite file that ends with the process: memory does not grow with the rows.

A row's state is ``invalid``, ``repeated`` (an earlier row is the same), ``notSent``, ``refused``, or its update's own.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from relay.rows import BadRow, Row

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
class Repeats:
    """The row of this line has the same key; ``alike`` says whether it is the same update."""

    line: int
    alike: bool


@dataclass(frozen=True)
class Entry:
    """One row, for reports."""

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
        """All that is wrong with an invalid row, or the one error of another."""
        if self.status == "invalid":
            return [str(one) for one in json.loads(self.error or "[]")]
        return [self.error] if self.error else []


class Ledger:
    """All rows of one submission; ``with`` closes it."""

    def __init__(self) -> None:
        # The empty name makes a temporary file that SQLite deletes, whatever happens to this process.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def add(self, row: Row) -> Repeats | None:
        """Take a valid row in; another one's key makes it a repetition, or a fault."""
        update = row.update
        user = update.device_compliance_user_status_id or update.user_principal_name
        known = (update.source, update.idempotency_key, update.fingerprint())
        first = self._rows.execute(
            "SELECT line, fingerprint FROM rows WHERE source = ? AND key = ? AND same_as IS NULL", known[:2]
        ).fetchone()
        message = None if first else json.dumps(update.message, ensure_ascii=False, separators=(",", ":"))
        if first and first[1] != known[2]:
            return Repeats(first[0], alike=False)
        self._rows.execute(
            "INSERT INTO rows (line, user, source, key, fingerprint, message, same_as) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row.line, user, *known, message, first and first[0]),
        )
        return Repeats(first[0], alike=True) if first else None

    def add_invalid(self, row: BadRow) -> None:
        """Take in what will not be sent."""
        error = json.dumps([f"{fault.at} {fault.detail}".strip() for fault in row.faults])
        self._rows.execute(
            "INSERT INTO rows (line, status, code, error) VALUES (?, 'invalid', 'invalidRow', ?)", (row.line, error)
        )

    def batch(self, most: int, largest: int) -> list[tuple[int, str]]:
        """The next rows to send, by line: so many, in a body of so many bytes."""
        found: list[tuple[int, str]] = []
        size = _EMPTY_BODY
        for line, message in self._rows.execute(
            "SELECT line, message FROM rows WHERE message IS NOT NULL AND status IS NULL ORDER BY line LIMIT ?", (most,)
        ):
            size += len(message.encode()) + 1
            if found and size > largest:
                break
            found.append((line, message))
        return found

    def accepted(self, verdicts: Sequence[tuple[int, str, str]]) -> None:
        """Lines with their ids and statuses."""
        rows = [(update_id, status, line) for line, update_id, status in verdicts]
        self._rows.executemany("UPDATE rows SET id = ?, status = ? WHERE line = ?", rows)

    def refused(self, line: int, error: Mapping[str, Any]) -> None:
        """The relay did not take it."""
        pairs = [f"{one.get('pointer')} {one.get('detail')}" for one in error.get("errors") or () if one]
        text = "; ".join([str(error.get("message", "")), *pairs])
        self._rows.execute(
            "UPDATE rows SET status = 'refused', code = ?, error = ? WHERE line = ?", (error.get("code"), text, line)
        )

    def ended(self, source: str, resource: Mapping[str, Any]) -> int:
        """A final update; 0 where it is none of ours, or known already."""
        error = resource.get("error") or {}
        known = (resource["status"], resource.get("statusDetail"), error.get("code"), error.get("message"))
        return self._rows.execute(
            "UPDATE rows SET status = ?, detail = ?, code = ?, error = ?, ended = 1"
            " WHERE source = ? AND id = ? AND ended = 0",
            (*known, source, resource.get("id")),
        ).rowcount

    def open_after(self, source: str, update_id: str, most: int) -> list[tuple[str, str]]:
        """Sources and ids of updates whose end was not read yet, in order, beyond this one."""
        return self._rows.execute(
            "SELECT source, id FROM rows WHERE id IS NOT NULL AND ended = 0 AND (source, id) > (?, ?)"
            " ORDER BY source, id LIMIT ?",
            (source, update_id, most),
        ).fetchall()

    def states(self) -> Counter[str]:
        """How many rows are in which state."""
        return Counter(dict(self._rows.execute("SELECT state, count(*) FROM entries GROUP BY state").fetchall()))

    def details(self) -> dict[str, int]:
        """How many updates of ours ended in which way."""
        text = "SELECT detail, count(*) FROM rows WHERE detail IS NOT NULL GROUP BY detail"
        return dict(self._rows.execute(text).fetchall())

    def open(self) -> int:
        """How many accepted updates are not known to have ended."""
        text = "SELECT count(*) FROM rows WHERE id IS NOT NULL AND ended = 0"
        found: int = self._rows.execute(text).fetchone()[0]
        return found

    def entries(self, *states: str, most: int = -1) -> Iterator[Entry]:
        """Rows in these states (none: all) by line; a repetition has the outcome of the row that it repeats."""
        text = (
            "SELECT line, user, status, detail, id, code, error, same_as FROM entries"
            " WHERE ? OR state IN (SELECT value FROM json_each(?)) ORDER BY line LIMIT ?"
        )
        for values in self._rows.execute(text, (not states, json.dumps(states), most)):
            yield Entry(*values)


def accepted(states: Mapping[str, int]) -> int:
    """How many of them are updates of the relay's."""
    return sum(states.get(status, 0) for status in STATUSES)
