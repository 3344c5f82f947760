"""``submit`` when answers are lost, refused or wrong, and when it is interrupted."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from emulator.stack import until
from tests.builders import POLICY
from tests.relay.process import environment, finish, run, start
from tests.relay.relay_server import RelayServer, listening, relay_server
from tests.relay.submission.files import HEADER, count_updates, read_report, write_users
from tests.world import World


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("failure", [(503, {"Retry-After": "0"}, b""), (429, {"Retry-After": "0.1"}, b"<html>"), None])
def test_a_batch_whose_answer_is_lost_is_sent_again(relay: RelayServer, users: Path, when: str, failure: Any) -> None:
    """Its updates exist once, whether it had arrived or not."""
    (relay.before if when == "before" else relay.after).extend([(503, {"Retry-After": "0"}, b""), failure])
    done = run(relay.url, "submit", str(users), "--batch-size", "20", "--json")
    assert (done.status, done.json["accepted"], count_updates(relay.world)) == (0, 25, 25)
    assert "trying again" in done.err


def test_items_that_storage_could_not_take_are_sent_again(relay: RelayServer, users: Path) -> None:
    """Only those are."""
    refused = [{"index": n, "error": {"code": "storageUnavailable", "message": "."}} for n in range(25)]
    body = json.dumps({"value": refused}).encode()
    relay.before.extend([(503, {}, b""), (202, {"Content-Type": "application/json"}, body)])
    done = run(relay.url, "submit", str(users), "--json")
    assert (done.status, done.json["accepted"]) == (0, 25)


def test_a_relay_that_stays_away_ends_the_command(relay: RelayServer, users: Path) -> None:
    """The same command then goes on."""
    answer = relay.answer

    def first_batch_only(*request: Any) -> Any:
        return None if relay.count_posts() >= 1 else answer(*request)

    relay.answer = first_batch_only  # type: ignore[method-assign]
    done = run(relay.url, "submit", str(users), "--batch-size", "10", "--retry-seconds", "0.2")
    relay.answer = answer  # type: ignore[method-assign]
    assert done.status == 1
    assert "stopped: 10 of 25 updates are accepted" in done.out
    assert "give the same command again" in done.out
    assert run(relay.url, "submit", str(users), "--json").json["accepted"] == count_updates(relay.world) == 25


def test_refusals_by_the_relay_have_their_lines(relay: RelayServer, users: Path) -> None:
    """A key of another payload is refused, in a batch of refusals and beside accepted rows."""
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
def test_an_answer_of_another_service_is_no_acceptance(relay: RelayServer, users: Path, answer: Any) -> None:
    """No row counts as sent."""
    relay.before.extend([(400, {}, b""), answer])
    done = run(relay.url, "submit", str(users))
    assert done.status == 1
    assert "stopped: 0 of 25" in done.out


@pytest.mark.parametrize("moment", ["batch", "wait"])
def test_ctrl_c_loses_nothing(world: World, tmp_path: Path, moment: str) -> None:
    """While a batch is in flight and while outcomes are awaited, the report has what is known."""
    users, report, reached = write_users(tmp_path, 30), tmp_path / "report.csv", threading.Event()
    relay = RelayServer(world, deliver=False)
    held = threading.Event()

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        response = relay.answer(method, target, headers, body)
        in_batch = moment == "batch" and relay.count_posts() == 2
        if in_batch or (moment == "wait" and target.startswith("/api/updates?")):
            reached.set()
            held.wait(30)
        return response

    with listening(answer) as url:
        relay.url = url
        process = start(
            "submit", str(users), "--batch-size", "10", "--wait", "--report", str(report), env=environment(url)
        )
        until(lambda: reached.is_set() or process.poll() is not None, 60, "the moment")
        process.send_signal(signal.SIGINT)
        done = finish(process)
        held.set()
    with relay_server(world) as whole:
        again = run(whole.url, "submit", str(users), "--wait", "--json")

    accepted = 10 if moment == "batch" else 30
    assert done.status == 130
    assert f"stopped: {accepted} of 30 updates are accepted" in done.out
    assert "give the same command again" in done.out
    assert "Traceback" not in done.err
    assert sum(bool(row["id"]) for row in read_report(report)) == accepted
    assert (again.json["outcomes"], count_updates(world)) == ({"succeeded": 30}, 30)
