"""Rows of any format: their keys, and that no content raises."""

import csv
import io
import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from relay.rows.csv_reader import csv_rows
from relay.rows.file_reader import read_rows
from relay.rows.json_lines import json_rows
from relay.rows.options import Format, ReadOptions
from relay.rows.row import InvalidRow, RowDefaults, UnreadableFile
from shared.core.intake.update import Update
from shared.core.intake.update_schema import COMPLIANCE_STATUSES
from tests.builders import POLICY, a_message
from tests.relay.rows.reading import HEADER, updates


def test_the_key_is_made_of_the_content_alone() -> None:
    """The format, the order of members, the line and the source do not change it; a label does."""
    message = a_message(userStatus={"status": "error", "devicesCount": 1}, source="a")
    reordered = {name: message[name] for name in reversed(message)} | {"source": "b"}
    first, second = (updates(json.dumps(body))[0]["idempotencyKey"] for body in (message, reordered))
    other = updates(json.dumps(a_message(userStatus={"status": "error", "devicesCount": 2})))[0]["idempotencyKey"]
    again = updates(json.dumps(message), run="second")[0]["idempotencyKey"]
    content = f"deviceComplianceUserStatusId;devicesCount;status\n{message['deviceComplianceUserStatusId']};1;error\n"
    assert first == second == updates(content, policy=POLICY)[0]["idempotencyKey"]
    assert len({first, other, again}) == 3
    assert first.startswith("row-")


_CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(str.strip).filter(bool)


@given(
    names=st.lists(_CELLS, min_size=1, max_size=8),
    counts=st.integers(0, 2_147_483_647),
    status=st.sampled_from(COMPLIANCE_STATUSES),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_writes_is_what_is_read(
    names: list[str], counts: int, status: str, delimiter: str, end: str
) -> None:
    """Every value comes back, whatever must be quoted."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    writer.writerow(["deviceComplianceUserStatusId", "status", "devicesCount", "userDisplayName"])
    writer.writerows([f"u{n}", status, counts, name] for n, name in enumerate(names))
    read_back = updates(file.getvalue(), policy=POLICY)
    assert [message["userStatus"] for message in read_back] == [
        {"status": status, "devicesCount": counts, "userDisplayName": name} for name in names
    ]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_rows_or_faults(content: bytes) -> None:
    """Any bytes give rows, faults, or one ``UnreadableFile``; every valid row has a key."""
    formats: tuple[Format, ...] = ("csv", "jsonl")
    for file_format in formats:
        stream = io.BufferedReader(io.BytesIO(HEADER.encode() + b"\n" + content))  # type: ignore[arg-type]
        try:
            for row in read_rows(stream, None, ReadOptions(file_format, ignore_unknown=True)):
                assert row.line >= 1
                assert isinstance(row, InvalidRow) or row.update.idempotency_key
        except UnreadableFile:
            continue


@given(st.lists(st.text(max_size=40), max_size=6))
def test_lines_of_any_text_are_rows_or_faults(lines: list[str]) -> None:
    """The parsers alone keep the same promise."""
    for row in json_rows(lines, RowDefaults()):
        assert isinstance(row, InvalidRow) or isinstance(row.update, Update)
    with suppress(UnreadableFile):
        list(csv_rows([HEADER + "\n", *lines], ReadOptions()))
