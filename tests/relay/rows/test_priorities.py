"""The lane of a row: its own column, else the option, else what the relay takes for a batch."""

import io

import pytest

from relay.rows.file_reader import read_rows
from relay.rows.options import ReadOptions
from relay.rows.row import Row, RowDefaults
from tests.relay.rows.reading import HEADER, faults, updates

ROW = "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11,u,compliant,1,"


@pytest.mark.parametrize(
    ("cell", "option", "expected"),
    [("normal", None, "normal"), ("normal", "bulk", "normal"), ("", "normal", "normal"), ("", None, None)],
)
def test_a_rows_priority(cell: str, option: str | None, expected: str | None) -> None:
    """An empty cell is no value."""
    stream = io.BufferedReader(io.BytesIO(f"{HEADER},priority\n{ROW},{cell}\n".encode()))  # type: ignore[arg-type]
    (row,) = read_rows(stream, None, ReadOptions(defaults=RowDefaults(priority=option)))
    assert isinstance(row, Row)
    assert row.update.message.get("priority") == expected


def test_an_unknown_priority_is_a_fault_of_the_row() -> None:
    """Its column is named."""
    assert [(line, at) for line, at, _ in faults(f"{HEADER},priority\n{ROW},urgent\n")] == [(2, "priority")]


def test_the_key_of_a_row_does_not_depend_on_its_priority() -> None:
    """The same row sent again in another lane is the same update."""
    keys = {updates(f"{HEADER},priority\n{ROW},{lane}\n")[0]["idempotencyKey"] for lane in ("normal", "bulk", "")}
    assert len(keys) == 1
