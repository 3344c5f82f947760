"""Files as real tools write them: Windows PowerShell, Excel, sqlcmd, Graph, the Intune portal."""

import json

import pytest

from relay.rows.row import UnreadableFile
from tests.builders import POLICY, a_message
from tests.relay.rows.reading import HEADER, faults, read, updates

ROW = f"{POLICY},u,compliant,1,2026-11-23T20:30:00Z\n"


def refusal(content: bytes | str, **options: object) -> UnreadableFile:
    """Return the error of a file that cannot be read."""
    with pytest.raises(UnreadableFile) as error:
        read(content, **options)
    return error.value


@pytest.mark.parametrize("preamble", ["#TYPE System.Management.Automation.PSCustomObject", '"#TYPE Selected.User"'])
@pytest.mark.parametrize("before", ["", "sep=,\r\n"])
def test_the_type_line_of_powershell_is_skipped(preamble: str, before: str) -> None:
    """Export-Csv of Windows PowerShell writes it; rows keep the numbers of the file's lines."""
    content = f"{before}{preamble}\r\n{HEADER}\r\n{ROW}"
    assert updates(content) == updates(f"{HEADER}\n{ROW}")
    assert faults(content + f"{POLICY},u,wrong,1,\n")[0][0] == content.count("\n") + 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark_is_read(encoding: str) -> None:
    """CSV and JSON Lines alike; Export-Csv -Encoding Unicode and Out-File write it."""
    header = "deviceCompliancePolicyId,deviceComplianceUserStatusId,userDisplayName\n"
    table = header + f"{POLICY},u,Jörg \U0001f600\n"
    lines = json.dumps(a_message(userStatus={"userDisplayName": "Jörg \U0001f600"}), ensure_ascii=False) + "\r\n"
    for text in (table, lines):
        marked = text if encoding == "utf-16" else "\ufeff" + text
        assert updates(marked.encode(encoding)) == updates(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (("\ufeff" + HEADER).encode("utf-32-le"), "UTF-32"),
        (b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\n\x00\x00\xd8a\x00", "not UTF-16"),
        (b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\n\x00x", "not UTF-16"),
    ],
)
def test_other_encodings_are_named(content: bytes, reason: str) -> None:
    """Nothing is guessed."""
    assert reason in refusal(content).detail


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("Id", "deviceComplianceUserStatusId"),
        ("UserStatusId", "deviceComplianceUserStatusId"),
        ("UPN", "userPrincipalName"),
        ("Device Compliance User Status Id", "deviceComplianceUserStatusId"),
    ],
)
@pytest.mark.parametrize("ignore_unknown", [False, True])
def test_a_column_under_another_name_is_named(column: str, meant: str, ignore_unknown: bool) -> None:
    """``--ignore-unknown`` would drop the user: it is never advised, and with it the answer is the same."""
    detail = refusal(f"deviceCompliancePolicyId,{column},status\n", ignore_unknown=ignore_unknown).detail
    assert f"'{column}' is not known (meant: {meant}?)" in detail
    assert "--ignore-unknown" not in detail


@pytest.mark.parametrize("column", ["ComplianceStatus", "Compliance status", "complianceState", "\u200bstatus"])
def test_a_status_under_another_name_is_named(column: str) -> None:
    """It would be left out, and only the count would be written."""
    content = f"deviceCompliancePolicyId,deviceComplianceUserStatusId,devicesCount,{column}\n"
    detail = refusal(content).detail
    assert "(meant: status?)" in detail
    assert "--ignore-unknown" not in detail


def test_a_column_that_is_not_ours_may_be_ignored() -> None:
    """Every column of ours is in the file."""
    detail = refusal(HEADER + ",Manufacturer\n").detail
    assert "'Manufacturer' is not known; --ignore-unknown leaves it out" in detail
    both = refusal(HEADER + ",Id\n").detail
    assert "--ignore-unknown leaves it out" in both


def test_a_name_beside_an_id_has_a_hint() -> None:
    """An export of Graph's user statuses has Id and UserPrincipalName: the name there is a property."""
    header = "deviceCompliancePolicyId,deviceComplianceUserStatusId,UserPrincipalName,status\n"
    ((line, at, detail),) = faults(f"{header}{POLICY},u,a@contoso.example,compliant\n")
    assert (line, at) == (2, "UserPrincipalName")
    assert "meant: column userStatus.userPrincipalName?" in detail


def test_a_header_in_quotes_is_named() -> None:
    """A spreadsheet that does not split the lines quotes each as one cell."""
    error = refusal(f'"{HEADER}"\n"{ROW.strip()}"\n')
    assert error.line == 1
    assert "one quoted cell" in error.detail


def test_a_comment_before_the_header_is_named() -> None:
    """The header is the first line."""
    error = refusal(f"# exported by a nightly job\n{HEADER}\n{ROW}")
    assert error.line == 1
    assert "a comment" in error.detail


def test_a_second_header_is_named() -> None:
    """Files that were joined by ``cat`` or ``copy``."""
    quoted = ",".join(f'"{name}"' for name in HEADER.split(","))
    for header in (HEADER, quoted, "\ufeff" + quoted):
        ((line, at, detail),) = faults(f"{HEADER}\n{ROW}{header}\n{ROW}")
        assert (line, at) == (3, "row")
        assert "the header again" in detail


def test_a_formula_is_named() -> None:
    """Excel users write ``="..."`` to keep an id as text."""
    ((_, at, detail),) = faults(f'{HEADER}\n"=""{POLICY}""",u,compliant,1,\n')
    assert at == "deviceCompliancePolicyId"
    assert "a spreadsheet's formula" in detail


@pytest.mark.parametrize("indent", [None, 2])
def test_a_page_of_graph_has_a_hint(indent: int | None) -> None:
    """The hint names the jq command that makes messages of it."""
    page = {"@odata.context": "x", "value": [{"id": "u", "status": "compliant"}]}
    (_, _, detail), *_ = faults(json.dumps(page, indent=indent))
    assert "jq -c" in detail
    if indent is None:
        assert ".value[] | {deviceComplianceUserStatusId: .id, userStatus: .}" in detail


def test_no_column_may_be_ignored_while_one_is_missing() -> None:
    """Any unknown column may be the missing one."""
    detail = refusal("deviceCompliancePolicyId,Logged in user,status\n").detail
    assert "'Logged in user' is not known;" in detail
    assert "--ignore-unknown" not in detail
