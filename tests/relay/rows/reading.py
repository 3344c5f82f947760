"""Reading a file of rows from memory."""

import io
from typing import Any

from relay.rows.file_reader import read_rows
from relay.rows.options import ReadOptions
from relay.rows.row import InvalidRow, Row, RowDefaults

HEADER = "deviceCompliancePolicyId,deviceComplianceUserStatusId,status,devicesCount,lastReportedDateTime"


def read(content: bytes | str, **options: Any) -> list[Row | InvalidRow]:
    """Return all rows of a file with this content."""
    raw = content.encode() if isinstance(content, str) else content
    defaults = RowDefaults(**{name: options.pop(name) for name in ("policy", "source", "run") if name in options})
    stream = io.BufferedReader(io.BytesIO(raw))  # type: ignore[arg-type]
    return list(read_rows(stream, None, ReadOptions(defaults=defaults, **options)))


def faults(content: bytes | str, **options: Any) -> list[tuple[int, str, str]]:
    """Return line, place and detail of all faults."""
    invalid = [row for row in read(content, **options) if isinstance(row, InvalidRow)]
    return [(row.line, fault.at, fault.detail) for row in invalid for fault in row.faults]


def updates(content: bytes | str, **options: Any) -> list[dict[str, Any]]:
    """Return the messages of a file without faults."""
    rows = read(content, **options)
    assert all(isinstance(row, Row) for row in rows), rows
    return [dict(row.update.message) for row in rows if isinstance(row, Row)]
