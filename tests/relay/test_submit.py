"""``submit`` against the wired app behind a socket: what is accepted, what is told, and how it goes on."""

import csv
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.stack import until
from tests.builders import POLICY
from tests.relay.served import Served, ended, environment, launched, listening, run, served
from tests.world import World

HEADER = "deviceCompliancePolicyId,deviceComplianceUserStatusId,status,devicesCount\n"


@pytest.fixture
def relay(world: World) -> Iterator[Served]:
    """A relay among twins, at an address."""
    with served(world) as running:
        yield running


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """A file of 25 users."""
    return a_file(tmp_path, 25)


def a_file(folder: Path, count: int, more: str = "") -> Path:
    """A CSV of so many users."""
    path = folder / "users.csv"
    path.write_text(HEADER + "".join(f"{POLICY},user-{n},compliant,{n}\n" for n in range(count)) + more)
    return path


def ids(world: World) -> int:
    """How many updates the relay has."""
    return len(world.outcomes.rows)


def reported(path: Path) -> list[dict[str, str]]:
    """A report's rows."""
    return list(csv.DictReader(path.read_text().splitlines()))


def posted(relay: Served) -> int:
    """How many batches were sent."""
    return sum(method == "POST" for method, _, _ in relay.requests)


def test_a_dry_run_checks_every_row_and_says_how_long_it_takes(relay: Served, users: Path) -> None:
    """And sends nothing."""
    done = run(relay.url, "submit", str(users), "--dry-run")
    assert done.status == 0
    assert "25 rows, 25 valid, 0 invalid" in done.out
    assert "about 5 s, at 100 writes in 20 s" in done.out
    assert ids(relay.world) == posted(relay) == 0


def test_a_dry_run_needs_no_relay(users: Path) -> None:
    """It says that the quota is the default one."""
    done = run("http://127.0.0.1:9", "submit", str(users), "--dry-run", "--json")
    assert done.status == 0
    assert done.json["estimate"] == {"seconds": 5, "quota": "100/20", "queued": 0, "quotaIsKnown": False}


def test_submitting_waits_and_reports_every_row(relay: Served, users: Path, tmp_path: Path) -> None:
    """In batches, to the end."""
    report = tmp_path / "report.csv"
    done = run(relay.url, "submit", str(users), "--wait", "--batch-size", "10", "--report", str(report))
    assert done.status == 0
    assert "accepted 25; refused 0; not sent 0" in done.out
    assert "25 succeeded (25 delivered)" in done.out
    assert posted(relay) == 3
    rows = reported(report)
    assert [row["line"] for row in rows] == [str(n) for n in range(2, 27)]
    assert {(row["status"], row["statusDetail"]) for row in rows} == {("succeeded", "delivered")}
    assert relay.world.in_graph(user="user-7") == {"status": "compliant", "devicesCount": 7}


def test_submitting_twice_makes_no_second_update_and_says_so(relay: Served, users: Path) -> None:
    """A label does."""
    relay.deliver = False
    run(relay.url, "submit", str(users))
    relay.world.clock.step(seconds=60)
    again = run(relay.url, "submit", str(users), "--json")
    assert (again.json["accepted"], again.json["acceptedBefore"], ids(relay.world)) == (25, 25, 25)
    other = run(relay.url, "submit", str(users), "--run", "second", "--json")
    assert (other.json["acceptedBefore"], ids(relay.world)) == (0, 50)


def test_rows_that_are_the_same_are_one_update(relay: Served, tmp_path: Path) -> None:
    """Told and reported by line."""
    users, report = a_file(tmp_path, 2, f"{POLICY},user-0,compliant,0\n"), tmp_path / "report.csv"
    done = run(relay.url, "submit", str(users), "--wait", "--report", str(report))
    assert "3 rows, 2 valid, 0 invalid, 1 the same as an earlier row" in done.out
    first, _, last = reported(report)
    assert (last["sameAsLine"], last["id"], last["status"]) == ("2", first["id"], "succeeded")


def test_a_file_with_invalid_rows_is_not_sent_unless_asked_for(relay: Served, tmp_path: Path) -> None:
    """Every reason has its line; the valid rows may go alone."""
    users, report = a_file(tmp_path, 2, f"x,user-2,Compliant,two\n{POLICY},user-3,error,3\n"), tmp_path / "report.csv"

    refused = run(relay.url, "submit", str(users), "--report", str(report))

    assert (refused.status, ids(relay.world)) == (2, 0)
    assert refused.out.count("line 4: ") == 3
    assert [row["status"] for row in reported(report)] == ["notSent", "notSent", "invalid", "notSent"]
    sent = run(relay.url, "submit", str(users), "--skip-invalid", "--json")
    assert (sent.status, sent.json["accepted"], sent.json["invalid"], ids(relay.world)) == (1, 3, 1, 3)
    assert (sent.json["errors"][0]["line"], len(sent.json["errors"][0]["reasons"])) == (4, 3)


def test_two_rows_of_one_key_and_different_content_are_a_fault(relay: Served, tmp_path: Path) -> None:
    """Before the relay has to say so."""
    path = tmp_path / "keys.csv"
    path.write_text(HEADER.strip() + f",idempotencyKey\n{POLICY},u,error,1,k\n{POLICY},u,error,2,k\n")
    done = run(relay.url, "submit", str(path))
    assert done.status == 2
    assert "line 3: idempotencyKey is that of line 2" in done.out


def test_standard_input_is_read_as_what_it_looks_like(relay: Served) -> None:
    """CSV or JSON Lines."""
    message = {
        "deviceCompliancePolicyId": POLICY,
        "deviceComplianceUserStatusId": "u",
        "userStatus": {"status": "error"},
    }
    lines = run(relay.url, "submit", "-", "--json", stdin=json.dumps(message).encode())
    table = run(relay.url, "submit", "-", "--json", stdin=f"{HEADER}{POLICY},u,error,\n".encode())
    assert (lines.json["accepted"], table.json["accepted"], ids(relay.world)) == (1, 1, 1)


def test_failed_updates_are_told_by_line_and_fail_the_command(relay: Served, users: Path) -> None:
    """With Graph's own words."""
    relay.world.graph.refuse = lambda properties: properties["devicesCount"] == 3
    done = run(relay.url, "submit", str(users), "--wait")
    assert done.status == 1
    assert "line 5: failed graphRejected" in done.out
    assert "24 succeeded, 1 failed" in done.out


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("failure", [(503, {"Retry-After": "0"}, b""), (429, {"Retry-After": "0.1"}, b"<html>"), None])
def test_a_batch_whose_answer_is_lost_is_sent_again(relay: Served, users: Path, when: str, failure: Any) -> None:
    """It is one batch of updates, whether it had arrived or not."""
    (relay.before if when == "before" else relay.after).extend([(503, {"Retry-After": "0"}, b""), failure])
    done = run(relay.url, "submit", str(users), "--batch-size", "20", "--json")
    assert (done.status, done.json["accepted"], ids(relay.world)) == (0, 25, 25)
    assert "trying again" in done.err


def test_items_that_storage_could_not_take_are_sent_again(relay: Served, users: Path) -> None:
    """Only they are."""
    refused = [{"index": n, "error": {"code": "storageUnavailable", "message": "."}} for n in range(25)]
    body = json.dumps({"value": refused}).encode()
    relay.before.extend([(503, {}, b""), (202, {"Content-Type": "application/json"}, body)])
    done = run(relay.url, "submit", str(users), "--json")
    assert (done.status, done.json["accepted"]) == (0, 25)


def test_a_relay_that_goes_away_for_good_ends_the_command_with_what_it_has(relay: Served, users: Path) -> None:
    """And the same command goes on."""
    answer = relay.answer

    def once(*request: Any) -> Any:
        return None if posted(relay) >= 1 else answer(*request)

    relay.answer = once  # type: ignore[method-assign]
    done = run(relay.url, "submit", str(users), "--batch-size", "10", "--retry-seconds", "0.2")
    relay.answer = answer  # type: ignore[method-assign]
    assert done.status == 1
    assert "stopped: 10 of 25 updates are accepted" in done.out
    assert "give the same command again" in done.out
    assert run(relay.url, "submit", str(users), "--json").json["accepted"] == ids(relay.world) == 25


def test_the_relays_own_refusals_are_told_by_line(relay: Served, users: Path) -> None:
    """A key that belongs to another payload, in a batch where all or only some are refused."""
    keyed = users.with_name("keyed.csv")
    keyed.write_text(HEADER.strip() + f",idempotencyKey\n{POLICY},u,error,1,k\n")
    run(relay.url, "submit", str(keyed))
    keyed.write_text(HEADER.strip() + f",idempotencyKey\n{POLICY},u,error,2,k\n")
    alone = run(relay.url, "submit", str(keyed))
    keyed.write_text(keyed.read_text() + f"{POLICY},v,error,2,other\n")
    beside = run(relay.url, "submit", str(keyed))
    for done in (alone, beside):
        assert done.status == 1
        assert "line 2: refused idempotencyKeyConflict" in done.out


@pytest.mark.parametrize("answer", [(200, {}, b"{}"), (202, {}, b'{"value": [{"index": 0}]}'), (200, {}, b"<html>")])
def test_an_answer_that_is_not_the_relays_is_not_taken_for_an_acceptance(
    relay: Served, users: Path, answer: Any
) -> None:
    """Nothing counts as sent."""
    relay.before.extend([(400, {}, b""), answer])
    done = run(relay.url, "submit", str(users))
    assert done.status == 1
    assert "stopped: 0 of 25" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
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
def test_a_wrong_way_of_asking_ends_with_2_and_no_traceback(
    relay: Served, users: Path, arguments: list[str], said: str
) -> None:
    """And nothing is sent."""
    names = {
        "users": users,
        "folder": users.parent,
        "empty": users.with_name("e.csv"),
        "header": users.with_name("h.csv"),
    }
    names["empty"].write_text("")
    names["header"].write_text(HEADER)
    done = run(relay.url, "submit", *(one.format(**names) for one in arguments))
    assert done.status == 2
    assert said in done.out + done.err
    assert "Traceback" not in done.err
    assert relay.requests == []


def test_a_machine_reads_one_document_also_of_a_refusal(relay: Served) -> None:
    """On standard output."""
    assert "cannot be read" in run(relay.url, "submit", "nowhere.csv", "--json").json["error"]["message"]


@pytest.mark.parametrize("moment", ["batch", "wait"])
def test_ctrl_c_loses_nothing_and_says_how_to_go_on(world: World, tmp_path: Path, moment: str) -> None:
    """While a batch is on its way, and while outcomes are awaited; the report tells what is known."""
    users, report, reached = a_file(tmp_path, 30), tmp_path / "report.csv", threading.Event()
    relay = Served(world, deliver=False)
    held = threading.Event()

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        told = relay.answer(method, target, headers, body)
        if (posted(relay) == 2 and moment == "batch") or (target.startswith("/api/updates?") and moment == "wait"):
            reached.set()
            held.wait(30)
        return told

    with listening(answer) as url:
        relay.url = url
        process = launched(
            "submit", str(users), "--batch-size", "10", "--wait", "--report", str(report), env=environment(url)
        )
        until(lambda: reached.is_set() or process.poll() is not None, 60, "the moment")
        process.send_signal(signal.SIGINT)
        done = ended(process)
        held.set()
    with served(world) as whole:
        again = run(whole.url, "submit", str(users), "--wait", "--json")

    known = 10 if moment == "batch" else 30
    assert done.status == 130
    assert f"stopped: {known} of 30 updates are accepted" in done.out
    assert "give the same command again" in done.out
    assert "Traceback" not in done.err
    assert sum(bool(row["id"]) for row in reported(report)) == known
    assert (again.json["outcomes"], ids(world)) == ({"succeeded": 30}, 30)
