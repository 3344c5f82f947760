"""``submit`` against the wired app behind a socket: what is checked, accepted and reported."""

import json
from pathlib import Path

import pytest

from tests.builders import POLICY
from tests.relay.process import run
from tests.relay.relay_server import RelayServer
from tests.relay.submission.files import HEADER, count_updates, read_report, write_users


def test_a_dry_run_checks_every_row_and_estimates_the_time(relay: RelayServer, users: Path) -> None:
    """It sends nothing."""
    done = run(relay.url, "submit", str(users), "--dry-run")
    assert done.status == 0
    assert "25 rows, 25 valid, 0 invalid" in done.out
    assert "about 5 s, at 100 writes in 20 s" in done.out
    assert count_updates(relay.world) == relay.count_posts() == 0


def test_a_dry_run_needs_no_relay(users: Path) -> None:
    """The estimate says that the quota is the default one."""
    done = run("http://127.0.0.1:9", "submit", str(users), "--dry-run", "--json")
    assert done.status == 0
    assert done.json["estimate"] == {"seconds": 5, "quota": "100/20", "queued": 0, "quotaIsKnown": False}


def test_submitting_waits_and_reports_every_row(relay: RelayServer, users: Path, tmp_path: Path) -> None:
    """The rows go in batches, and the report has the outcome of each."""
    report = tmp_path / "report.csv"
    done = run(relay.url, "submit", str(users), "--wait", "--batch-size", "10", "--report", str(report))
    assert done.status == 0
    assert "accepted 25; refused 0; not sent 0" in done.out
    assert "25 succeeded (25 delivered)" in done.out
    assert relay.count_posts() == 3
    rows = read_report(report)
    assert [row["line"] for row in rows] == [str(n) for n in range(2, 27)]
    assert {(row["status"], row["statusDetail"]) for row in rows} == {("succeeded", "delivered")}
    assert relay.world.in_graph(user="user-7") == {"status": "compliant", "devicesCount": 7}


def test_submitting_twice_makes_no_second_update(relay: RelayServer, users: Path) -> None:
    """Another label makes new updates."""
    relay.deliver = False
    run(relay.url, "submit", str(users))
    relay.world.clock.step(seconds=60)
    again = run(relay.url, "submit", str(users), "--json")
    assert (again.json["accepted"], again.json["acceptedBefore"], count_updates(relay.world)) == (25, 25, 25)
    other = run(relay.url, "submit", str(users), "--run", "second", "--json")
    assert (other.json["acceptedBefore"], count_updates(relay.world)) == (0, 50)


def test_rows_that_are_the_same_are_one_update(relay: RelayServer, tmp_path: Path) -> None:
    """The summary counts them, and the report names the earlier line."""
    users, report = write_users(tmp_path, 2, f"{POLICY},user-0,compliant,0\n"), tmp_path / "report.csv"
    done = run(relay.url, "submit", str(users), "--wait", "--report", str(report))
    assert "3 rows, 2 valid, 0 invalid, 1 the same as an earlier row" in done.out
    first, _, last = read_report(report)
    assert (last["sameAsLine"], last["id"], last["status"]) == ("2", first["id"], "succeeded")


def test_a_file_with_invalid_rows_is_not_sent_unless_asked_for(relay: RelayServer, tmp_path: Path) -> None:
    """Every fault has its line; ``--skip-invalid`` sends the valid rows."""
    users, report = (
        write_users(tmp_path, 2, f"x,user-2,Compliant,two\n{POLICY},user-3,error,3\n"),
        tmp_path / "report.csv",
    )

    refused = run(relay.url, "submit", str(users), "--report", str(report))

    assert (refused.status, count_updates(relay.world)) == (2, 0)
    assert refused.out.count("line 4: ") == 3
    assert [row["status"] for row in read_report(report)] == ["notSent", "notSent", "invalid", "notSent"]
    sent = run(relay.url, "submit", str(users), "--skip-invalid", "--json")
    assert (sent.status, sent.json["accepted"], sent.json["invalid"], count_updates(relay.world)) == (1, 3, 1, 3)
    assert (sent.json["errors"][0]["line"], len(sent.json["errors"][0]["reasons"])) == (4, 3)


def test_two_rows_of_one_key_and_different_content_are_a_fault(relay: RelayServer, tmp_path: Path) -> None:
    """The command finds it before the relay does."""
    path = tmp_path / "keys.csv"
    path.write_text(HEADER.strip() + f",idempotencyKey\n{POLICY},u,error,1,k\n{POLICY},u,error,2,k\n")
    done = run(relay.url, "submit", str(path))
    assert done.status == 2
    assert "line 3: idempotencyKey is that of line 2" in done.out


def test_standard_input_is_read_as_what_it_looks_like(relay: RelayServer) -> None:
    """It may be CSV or JSON Lines."""
    message = {
        "deviceCompliancePolicyId": POLICY,
        "deviceComplianceUserStatusId": "u",
        "userStatus": {"status": "error"},
    }
    lines = run(relay.url, "submit", "-", "--json", stdin=json.dumps(message).encode())
    table = run(relay.url, "submit", "-", "--json", stdin=f"{HEADER}{POLICY},u,error,\n".encode())
    assert (lines.json["accepted"], table.json["accepted"], count_updates(relay.world)) == (1, 1, 1)


def test_failed_updates_have_their_lines_and_fail_the_command(relay: RelayServer, users: Path) -> None:
    """The exit status is 1."""
    relay.world.graph.refuse = lambda properties: properties["devicesCount"] == 3
    done = run(relay.url, "submit", str(users), "--wait")
    assert done.status == 1
    assert "line 5: failed graphRejected" in done.out
    assert "24 succeeded, 1 failed" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv"], "cannot be read"),
        (["{folder}"], "cannot be read"),
        (["{users}", "--report", "{users}"], "would overwrite"),
        (["{users}", "--report", "{folder}/no/where.csv"], "cannot be written"),
        (["{users}", "--format", "xml"], "jsonl"),
        (["{users}", "--batch-size", "1001"], "1000"),
        (["{empty}"], "the file is empty"),
        (["{header}"], "there are no rows"),
    ],
)
def test_invalid_usage_ends_with_2_and_no_traceback(
    relay: RelayServer, users: Path, arguments: list[str], message: str
) -> None:
    """Nothing is sent."""
    names = {
        "users": users,
        "folder": users.parent,
        "empty": users.with_name("e.csv"),
        "header": users.with_name("h.csv"),
    }
    names["empty"].write_text("")
    names["header"].write_text(HEADER)
    done = run(relay.url, "submit", *(argument.format(**names) for argument in arguments))
    assert done.status == 2
    assert message in done.out + done.err
    assert "Traceback" not in done.err
    assert relay.requests == []


def test_an_error_is_a_json_document_too(relay: RelayServer) -> None:
    """It is on standard output."""
    assert "cannot be read" in run(relay.url, "submit", "nowhere.csv", "--json").json["error"]["message"]


def test_an_export_is_submitted_with_a_map(relay: RelayServer, tmp_path: Path) -> None:
    """``--map`` names the columns, ``--policy`` the policy."""
    export, columns = tmp_path / "export.csv", tmp_path / "users.json"
    export.write_text("#TYPE Selected.User\r\nId,State\r\nuser-1,OK\r\n", encoding="utf-16")
    columns.write_text(
        '{"Id": "deviceComplianceUserStatusId", "State": {"to": "status", "values": {"OK": "compliant"}}}'
    )
    done = run(relay.url, "submit", str(export), "--map", str(columns), "--policy", POLICY, "--wait")
    assert done.status == 0, done.out + done.err
    assert relay.world.in_graph(user="user-1") == {"status": "compliant"}
