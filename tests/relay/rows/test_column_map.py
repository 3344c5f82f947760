"""``--map``: an export is read as it is, without renaming its columns."""

import json
from pathlib import Path
from typing import Any

import pytest

from relay.errors import INVALID_INPUT, CommandError
from relay.rows.column_map import ColumnMap, read_column_map
from relay.rows.row import UnreadableFile
from tests.builders import POLICY
from tests.relay.process import ROOT
from tests.relay.rows.reading import faults, read, updates


def a_map(folder: Path, document: Any) -> ColumnMap:
    """Return a map read from a file."""
    path = folder / "map.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return read_column_map(path)


def test_an_export_is_read_by_its_own_columns(tmp_path: Path) -> None:
    """Columns that are not in the map are left out."""
    columns = a_map(
        tmp_path,
        {"UPN": "userPrincipalName", "Compliance": {"to": "status", "values": {"Not compliant": "nonCompliant"}}},
    )
    content = "Device name,UPN,Compliance\nPC-1,a@contoso.example,Not compliant\nPC-2,b@contoso.example,compliant\n"
    first, second = updates(content, policy=POLICY, column_map=columns)
    assert first["userPrincipalName"] == "a@contoso.example"
    assert [message["userStatus"] for message in (first, second)] == [
        {"status": "nonCompliant"},
        {"status": "compliant"},
    ]


def test_columns_of_ours_need_no_entry(tmp_path: Path) -> None:
    """A mapped column wins over one of our name, and null leaves a column out."""
    columns = a_map(
        tmp_path,
        {"Id": "deviceComplianceUserStatusId", "UserPrincipalName": "userStatus.userPrincipalName", "Source": None},
    )
    content = "id,Status,DevicesCount,UserPrincipalName,Source\nu,error,3,a@contoso.example,a source with spaces\n"
    (message,) = updates(content, policy=POLICY, column_map=columns)
    assert message["deviceComplianceUserStatusId"] == "u"
    assert message["source"] == "relay-cli"
    assert message["userStatus"] == {"status": "error", "devicesCount": 3, "userPrincipalName": "a@contoso.example"}
    own = a_map(tmp_path, {"State": "status", "Id": "deviceComplianceUserStatusId"})
    (message,) = updates("Id,State,Status\nu,error,active\n", policy=POLICY, column_map=own)
    assert message["userStatus"] == {"status": "error"}


def test_faults_have_the_names_of_the_file(tmp_path: Path) -> None:
    """A value that is not in the map is passed on, and refused as what it is."""
    columns = a_map(
        tmp_path, {"Id": "deviceComplianceUserStatusId", "State": {"to": "status", "values": {"A": "error"}}}
    )
    ((line, at, detail),) = faults("Id,State\nu,A\nv,B\n", policy=POLICY, column_map=columns)
    assert (line, at) == (3, "State")
    assert "not 'B'" in detail


def test_a_mapped_column_must_be_in_the_file(tmp_path: Path) -> None:
    """A typing error in the map would drop its column."""
    columns = a_map(tmp_path, {"Idd": "deviceComplianceUserStatusId"})
    with pytest.raises(UnreadableFile) as refusal:
        read("Id,status\nu,error\n", policy=POLICY, column_map=columns)
    assert "'Idd' is in the map (--map) and not in the file" in refusal.value.detail
    assert "'Id' is not known (meant: deviceComplianceUserStatusId?)" in refusal.value.detail
    assert "--ignore-unknown" not in refusal.value.detail


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "not JSON"),
        ([], "no object of columns"),
        ({}, "no object of columns"),
        ({"A": "statuss"}, "'statuss' is none of our columns (meant: status?)"),
        ({"A": "nonsense"}, "they are userDisplayName"),
        ({"A": 1}, "column 'A'"),
        ({"A": {"values": {}}}, "column 'A'"),
        ({"A": {"to": "status", "values": {"x": 1}}}, "values must be"),
        ({"A": {"to": "status", "valves": {}}}, "other than to, values and timestamp"),
        ({"A": {"to": "status", "timestamp": 1}}, "timestamp must be true or false"),
        ('{"A": "status", "A": "source"}', "more than once"),
        ({"A": "status", "a ": "source"}, "twice"),
    ],
)
def test_a_wrong_map_is_refused(tmp_path: Path, document: Any, reason: str) -> None:
    """Exit status 2, before a row is read."""
    with pytest.raises(CommandError) as error:
        a_map(tmp_path, document)
    assert error.value.exit_status == INVALID_INPUT
    assert reason in error.value.message


def test_json_lines_have_no_columns(tmp_path: Path) -> None:
    """A map would have no effect on them."""
    with pytest.raises(UnreadableFile, match="--map is for CSV"):
        read("{}\n", column_map=a_map(tmp_path, {"A": "status"}))


PORTAL = """Device name,Logged in user,Policy,Compliance status,Last check-in,UPN\r
LAPTOP-1,A User,Win compliance,Not compliant,2026-11-23 20:30:00.0000000,a.user@contoso.example\r
LAPTOP-2,B User,Win compliance,Compliant,never,b.user@contoso.example\r
"""


def test_the_portals_export_is_read_as_it_is(tmp_path: Path) -> None:
    """``timestamp`` reads times as a webhook's map does: one without an offset is UTC."""
    columns = a_map(
        tmp_path,
        {
            "UPN": "userPrincipalName",
            "Policy": None,
            "Compliance status": {
                "to": "status",
                "values": {"Compliant": "compliant", "Not compliant": "nonCompliant"},
            },
            "Last check-in": {"to": "lastReportedDateTime", "timestamp": True},
        },
    )
    (message,) = updates(PORTAL[: PORTAL.index("LAPTOP-2")], policy=POLICY, column_map=columns)
    assert message["userStatus"] == {"status": "nonCompliant", "lastReportedDateTime": "2026-11-23T20:30:00.0000000Z"}
    ((line, at, detail),) = faults(PORTAL, policy=POLICY, column_map=columns)
    assert (line, at) == (3, "Last check-in")
    assert "not 'never'" in detail


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("1795466000275", "2026-11-23T20:33:20.275Z"),
        ("1795466000", "2026-11-23T20:33:20Z"),
        ("2026-11-23T20:30:00+01:00", "2026-11-23T20:30:00+01:00"),
        ("45984.85", None),
        ("45984", None),
        ("11/23/2026 20:30", None),
    ],
)
def test_a_timestamp_is_no_excel_date(tmp_path: Path, cell: str, time: str | None) -> None:
    """A serial number of Excel would be a second of 1970, and the value would be stale."""
    columns = a_map(tmp_path, {"Seen": {"to": "lastReportedDateTime", "timestamp": True}})
    content = f"deviceComplianceUserStatusId,Seen\nu,{cell}\n"
    if time is None:
        ((_, at, detail),) = faults(content, policy=POLICY, column_map=columns)
        assert (at, "Excel date" in detail) == ("Seen", True)
    else:
        (message,) = updates(content, policy=POLICY, column_map=columns)
        assert message["userStatus"] == {"lastReportedDateTime": time}


def test_the_example_is_valid() -> None:
    """The README submits it."""
    folder = ROOT / "examples"
    content = (folder / "portal-export.csv").read_bytes()
    messages = updates(content, policy=POLICY, column_map=read_column_map(folder / "portal-columns.json"))
    assert [message["userStatus"]["status"] for message in messages] == ["nonCompliant", "compliant"]
