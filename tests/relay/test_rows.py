"""A file's rows, read without any relay: every fault with its line."""

import csv
import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.csv_rows import csv_rows
from relay.files import read_rows
from relay.rows import BadRow, Common, Row, UnreadableFile, json_rows
from shared.core.intake.update import Update
from shared.core.intake.update_schema import COMPLIANCE_STATUSES
from tests.builders import POLICY, a_message

HEADER = "deviceCompliancePolicyId,deviceComplianceUserStatusId,status,devicesCount,lastReportedDateTime"


def read(content: bytes | str, **options: Any) -> list[Row | BadRow]:
    """All rows of a file of this content."""
    raw = content.encode() if isinstance(content, str) else content
    common = Common(**{name: options.pop(name) for name in ("policy", "source", "run") if name in options})
    stream = io.BufferedReader(io.BytesIO(raw))  # type: ignore[arg-type]
    return list(read_rows(stream, None, None, common, ignore_unknown=options.get("ignore_unknown", False)))


def faults(content: bytes | str, **options: Any) -> list[tuple[int, str, str]]:
    """Line, place and reason of all faults."""
    bad = [row for row in read(content, **options) if isinstance(row, BadRow)]
    return [(row.line, fault.at, fault.detail) for row in bad for fault in row.faults]


def updates(content: bytes | str, **options: Any) -> list[dict[str, Any]]:
    """The messages of a file that is all right."""
    rows = read(content, **options)
    assert all(isinstance(row, Row) for row in rows), rows
    return [dict(row.update.message) for row in rows if isinstance(row, Row)]


def test_columns_become_the_members_that_they_are_named_for() -> None:
    """The bare principal name names the user, the prefixed one is the property."""
    (message,) = updates(
        "deviceCompliancePolicyId,userPrincipalName,userStatus.userPrincipalName,STATUS, devicesCount ,source,"
        f"idempotencyKey,userStatus.userDisplayName\n{POLICY},a@b.example,c@d.example,compliant,3,hr,key-1,A B\n"
    )
    status = {"userPrincipalName": "c@d.example", "status": "compliant", "devicesCount": 3, "userDisplayName": "A B"}
    assert message == {
        "deviceCompliancePolicyId": POLICY,
        "userPrincipalName": "a@b.example",
        "userStatus": status,
        "source": "hr",
        "idempotencyKey": "key-1",
    }


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_write_is_read_alike(bom: bytes, newline: str, delimiter: str) -> None:
    """Byte order mark, line ends and delimiter make no difference, not even to the keys."""
    plain = f"{HEADER}\n{POLICY},u,compliant,1,2026-11-23T20:30:00Z\n"
    written = plain.replace("\n", newline).replace(",", delimiter).encode()
    assert updates(bom + written) == updates(plain)


def test_excels_own_first_line_names_the_delimiter() -> None:
    """``sep=;``; rows are still numbered by the file's lines."""
    content = f"sep=|\r\n{HEADER}\r\n{POLICY},u,compliant,1,\r\n{POLICY},u,wrong,1,\r\n".replace(",", "|")
    assert [line for line, _, _ in faults(content)] == [4]


def test_rows_are_numbered_by_the_line_on_which_they_begin() -> None:
    """Quoted newlines and empty lines count as lines, and empty rows are none."""
    header = HEADER + ",notes"
    content = f'\n{header}\n{POLICY},u,compliant,1,,"one\ntwo\r\nthree"\n\n,,,,,\n'
    content += f"{POLICY},u,wrong,1,,\n{POLICY},v,error,1,,x\n"
    rows = read(content, ignore_unknown=True)
    assert [(row.line, type(row)) for row in rows] == [(3, Row), (8, BadRow), (9, Row)]


def test_a_quoted_newline_in_a_value_is_refused_at_its_row() -> None:
    """A name has no control characters."""
    content = (
        f'deviceCompliancePolicyId,deviceComplianceUserStatusId,userDisplayName\n{POLICY},u,"A\nB"\n{POLICY},u,C\n'
    )
    ((line, at, detail),) = faults(content)
    assert (line, at) == (2, "userDisplayName")
    assert "control characters" in detail


@pytest.mark.parametrize(
    "date", ["11/23/2026 20:30", "23.11.2026", "45984.85", "45984,85", "2026-11-23 20:30:00", "1/2/26", "2026-11-23"]
)
def test_an_excel_date_is_refused_with_the_accepted_form(date: str) -> None:
    """Whose day, month and zone nobody can know."""
    ((line, at, detail),) = faults(f'{HEADER}\n{POLICY},u,compliant,1,"{date}"\n')
    assert (line, at) == (2, "lastReportedDateTime")
    assert date in detail
    assert "Excel date" in detail
    assert "2026-11-23T20:30:00Z" in detail


def test_a_row_that_is_wrong_in_three_ways_hears_of_all_three() -> None:
    """By the names of the columns in the file."""
    found = faults(f"{HEADER.replace('status', 'userStatus.status')}\nx,u,Compliant,12.0,\n")
    assert {(line, at) for line, at, _ in found} == {
        (2, "deviceCompliancePolicyId"),
        (2, "userStatus.status"),
        (2, "devicesCount"),
    }
    assert any("'12.0'" in detail for _, _, detail in found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("\n\r\n", "empty"),
        ("\ufeff", "empty"),
        ("status\ncompliant\n", "deviceCompliancePolicyId is missing"),
        ("status\ncompliant\n", "deviceComplianceUserStatusId is missing"),
        (f"deviceCompliancePolicyId,deviceComplianceUserStatusId\n{POLICY},u\n", "at least one is needed"),
        (f"{HEADER},statuss\n", "'statuss' is not known (meant: status?)"),
        (f"{HEADER},userStatus.status\n", "gives the same as column 'status'"),
        (f'{HEADER}\n{POLICY},u,"compliant,1,\n', "never closed"),
        (f'{HEADER}\n{POLICY},"u"x,compliant,1,\n', "expected after"),
        (b"PK\x03\x04 and so on", "Excel workbook"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (HEADER.encode("utf-16-le"), "NUL"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"d\xe9vice,status\nx,y\n", "0xE9"),
        ("x" * (1024 * 1024 + 1), "longer than"),
    ],
)
def test_a_file_of_which_nothing_can_be_made_says_why(content: bytes | str, said: str) -> None:
    """One clear reason, or all reasons of a header."""
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert said in refused.value.detail


def test_an_unclosed_quote_is_told_by_the_line_that_opens_it() -> None:
    """Not by the end of the file."""
    with pytest.raises(UnreadableFile) as refused:
        read(f'{HEADER}\n{POLICY},u,compliant,1,\n{POLICY},"v,compliant,1,\n' + f"{POLICY},w,compliant,1,\n" * 9)
    assert refused.value.line == 3


def test_ragged_rows_and_stray_bytes_are_faults_of_their_rows() -> None:
    """The others are read."""
    rows = f"{POLICY},u,compliant,1\n{POLICY},u,compliant,1,,,\n".encode() + f"{POLICY},ü,compliant,1,\n".encode(
        "latin-1"
    )
    found = faults(HEADER.encode() + b"\n" + rows + f"{POLICY},u,compliant,1,\n".encode())
    assert [line for line, _, _ in found] == [2, 3, 4]
    assert "has 4 cells, the header 5" in found[0][2]
    assert "0xFC" in found[2][2]


def test_what_rows_do_not_say_the_command_does() -> None:
    """A row's own value wins."""
    content = (
        "deviceCompliancePolicyId,deviceComplianceUserStatusId,status,source\n,u,error,\n" + f"{POLICY},v,error,hr\n"
    )
    other = "00000000-0000-0000-0000-000000000001"
    first, second = updates(content, policy=other, source="nightly")
    assert (first["deviceCompliancePolicyId"], first["source"]) == (other, "nightly")
    assert (second["deviceCompliancePolicyId"], second["source"]) == (POLICY, "hr")


def test_json_lines_are_messages() -> None:
    """Blank lines are none, each fault has its line and pointer."""
    good = json.dumps(a_message())
    content = f'\n{good}\n\n{{"a": 1, "a": 2}}\n[]\n{{nonsense\n{json.dumps(a_message(userStatus={"status": "x"}))}\n'
    assert [line for line, _, _ in faults(content)] == [4, 5, 6, 7]
    assert faults(content)[-1][1] == "/userStatus/status"


@pytest.mark.parametrize("document", [json.dumps(a_message(), indent=2), json.dumps([a_message()], indent=2)])
def test_a_json_document_instead_of_json_lines_is_told_what_is_wanted(document: str) -> None:
    """One message a line."""
    assert "jq -c" in faults(document)[0][2]


def test_the_key_is_made_of_the_content_alone() -> None:
    """Not of the file's form, the order of members, the place or the source; a label makes other keys."""
    message = a_message(userStatus={"status": "error", "devicesCount": 1}, source="a")
    turned = {name: message[name] for name in reversed(message)} | {"source": "b"}
    one, two = (updates(json.dumps(each))[0]["idempotencyKey"] for each in (message, turned))
    other = updates(json.dumps(a_message(userStatus={"status": "error", "devicesCount": 2})))[0]["idempotencyKey"]
    again = updates(json.dumps(message), run="second")[0]["idempotencyKey"]
    content = f"deviceComplianceUserStatusId;devicesCount;status\n{message['deviceComplianceUserStatusId']};1;error\n"
    assert one == two == updates(content, policy=POLICY)[0]["idempotencyKey"]
    assert len({one, other, again}) == 3
    assert one.startswith("row-")


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
    """Value for value, whatever has to be quoted."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    writer.writerow(["deviceComplianceUserStatusId", "status", "devicesCount", "userDisplayName"])
    writer.writerows([f"u{n}", status, counts, name] for n, name in enumerate(names))
    read_back = updates(file.getvalue(), policy=POLICY)
    assert [one["userStatus"] for one in read_back] == [
        {"status": status, "devicesCount": counts, "userDisplayName": name} for name in names
    ]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_content_is_a_surprise(content: bytes) -> None:
    """Rows, faults, or one reason: nothing else is ever raised; every row that is taken is valid and has a key."""
    for wanted in ("csv", "jsonl"):
        stream = io.BufferedReader(io.BytesIO(HEADER.encode() + b"\n" + content))  # type: ignore[arg-type]
        try:
            for row in read_rows(stream, None, wanted, Common(), ignore_unknown=True):  # type: ignore[arg-type]
                assert row.line >= 1
                assert isinstance(row, BadRow) or row.update.idempotency_key
        except UnreadableFile:
            continue


@given(st.lists(st.text(max_size=40), max_size=6))
def test_lines_of_any_text_are_rows_or_faults(lines: list[str]) -> None:
    """The same from parsers alone."""
    for row in json_rows(lines, Common()):
        assert isinstance(row, BadRow) or isinstance(row.update, Update)
    with suppress(UnreadableFile):
        list(csv_rows([HEADER + "\n", *lines], Common()))
