"""CSV as spreadsheets write it: the same rows, and every fault with its line."""

import pytest

from relay.rows.row import InvalidRow, Row
from tests.builders import POLICY
from tests.relay.rows.reading import HEADER, faults, read, updates


def test_columns_give_the_members_of_their_names() -> None:
    """The bare principal name is the top-level member, the prefixed one is the property."""
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
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_spreadsheets_write_is_read_alike(bom: bytes, newline: str, delimiter: str) -> None:
    """Byte order mark, line ends and delimiter change nothing, and no key."""
    plain = f"{HEADER}\n{POLICY},u,compliant,1,2026-11-23T20:30:00Z\n"
    written = plain.replace("\n", newline).replace(",", delimiter).encode()
    assert updates(bom + written) == updates(plain)


def test_excels_separator_line_names_the_delimiter() -> None:
    """``sep=;``; rows are still numbered by the file's lines."""
    content = f"sep=|\r\n{HEADER}\r\n{POLICY},u,compliant,1,\r\n{POLICY},u,wrong,1,\r\n".replace(",", "|")
    assert [line for line, _, _ in faults(content)] == [4]


def test_rows_are_numbered_by_the_line_on_which_they_begin() -> None:
    """Quoted line breaks and empty lines count as lines; an empty line is no row."""
    header = HEADER + ",notes"
    content = f'\n{header}\n{POLICY},u,compliant,1,,"one\ntwo\r\nthree"\n\n,,,,,\n'
    content += f"{POLICY},u,wrong,1,,\n{POLICY},v,error,1,,x\n"
    rows = read(content, ignore_unknown=True)
    assert [(row.line, type(row)) for row in rows] == [(3, Row), (8, InvalidRow), (9, Row)]


def test_a_quoted_newline_in_a_value_is_refused_at_its_row() -> None:
    """A name must not hold control characters."""
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
    """Its day, month and zone are ambiguous."""
    ((line, at, detail),) = faults(f'{HEADER}\n{POLICY},u,compliant,1,"{date}"\n')
    assert (line, at) == (2, "lastReportedDateTime")
    assert date in detail
    assert "Excel date" in detail
    assert "2026-11-23T20:30:00Z" in detail


def test_all_faults_of_a_row_are_reported() -> None:
    """Each fault has the name of its column in the file."""
    found = faults(f"{HEADER.replace('status', 'userStatus.status')}\nx,u,Compliant,12.0,\n")
    assert {(line, at) for line, at, _ in found} == {
        (2, "deviceCompliancePolicyId"),
        (2, "userStatus.status"),
        (2, "devicesCount"),
    }
    assert any("'12.0'" in detail for _, _, detail in found)


def test_ragged_rows_and_stray_bytes_are_faults_of_their_rows() -> None:
    """The other rows are read."""
    rows = f"{POLICY},u,compliant,1\n{POLICY},u,compliant,1,,,\n".encode() + f"{POLICY},ü,compliant,1,\n".encode(
        "latin-1"
    )
    found = faults(HEADER.encode() + b"\n" + rows + f"{POLICY},u,compliant,1,\n".encode())
    assert [line for line, _, _ in found] == [2, 3, 4]
    assert "has 4 cells, the header 5" in found[0][2]
    assert "0xFC" in found[2][2]


def test_options_give_what_a_row_does_not() -> None:
    """A value of the row wins over the option."""
    content = (
        "deviceCompliancePolicyId,deviceComplianceUserStatusId,status,source\n,u,error,\n" + f"{POLICY},v,error,hr\n"
    )
    other = "00000000-0000-0000-0000-000000000001"
    first, second = updates(content, policy=other, source="nightly")
    assert (first["deviceCompliancePolicyId"], first["source"]) == (other, "nightly")
    assert (second["deviceCompliancePolicyId"], second["source"]) == (POLICY, "hr")
