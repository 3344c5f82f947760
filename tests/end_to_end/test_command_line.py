"""The command line against the whole stack, and with files of a size that must not show in its memory."""

import csv
import json
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.stack import Stack, stack
from tests.builders import POLICY
from tests.relay.process import ROOT, environment, finish, start
from tests.relay.relay_server import listening

pytestmark = pytest.mark.end_to_end
HEADER = "deviceCompliancePolicyId,deviceComplianceUserStatusId,status,devicesCount,lastReportedDateTime\n"


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    """Run a host whose Graph has the user statuses of the examples."""
    with stack(GRAPH_WRITE_QUOTA="5000/1", RETRY_BASE_SECONDS="0.2") as parts:
        parts.graph.config(quota=None)
        parts.graph.control("PUT", "state", json.loads((ROOT / "examples" / "user-statuses.json").read_text()))
        yield parts


def relay(parts: Stack, *arguments: str) -> Any:
    """Run a command against the relay of the stack."""
    return finish(start(*arguments, env=environment(parts.base_url)))


@pytest.mark.parametrize(("file", "rows"), [("users.csv", 12), ("updates.jsonl", 4)])
def test_the_examples_arrive_in_graph_as_the_readme_says(running: Stack, tmp_path: Path, file: str, rows: int) -> None:
    """They are checked, then delivered; a second submission makes no new update."""
    path, report = f"examples/{file}", tmp_path / "report.csv"

    checked = relay(running, "submit", path, "--dry-run", "--json").json
    sent = relay(running, "submit", path, "--wait", "--report", str(report))
    again = relay(running, "submit", path, "--json").json

    assert (checked["rows"], checked["valid"], checked["estimate"]["quotaIsKnown"]) == (rows, rows, True)
    assert sent.status == 0
    assert "ETA" in sent.err
    assert f"{rows} succeeded" in sent.out
    assert {row["status"] for row in csv.DictReader(report.read_text().splitlines())} == {"succeeded"}
    assert (again["accepted"], again["acceptedBefore"]) == (rows, rows)


def test_many_rows_are_followed_to_their_end(running: Stack, tmp_path: Path) -> None:
    """A row that Graph refuses has its line in the result; ``list`` finds all updates."""
    path, bad = tmp_path / "many.csv", str(uuid.uuid4())
    running.graph.fault("status", status=404, code="NotFound", match={"userStatusId": bad})
    users = [str(uuid.uuid4()) for _ in range(599)]
    rows = (f"{POLICY},{user},compliant,{n % 9},2026-11-23T20:30:00Z\n" for n, user in enumerate([*users, bad]))
    path.write_text(HEADER + "".join(rows))

    sent = relay(running, "submit", str(path), "--wait", "--source", "many", "--batch-size", "250", "--json")
    listed = relay(running, "list", "--source", "many", "--all", "--top", "1000", "--json")

    assert sent.status == 1
    assert sent.json["outcomes"] == {"succeeded": 599, "failed": 1}
    assert [(row["line"], row["code"]) for row in sent.json["failures"]] == [(601, "graphRejected")]
    assert len(listed.json["value"]) == 600


_PEAK = """
import resource, sys
from relay.__main__ import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def accepting(method: str, target: str, _headers: dict[str, str], body: bytes) -> Any:
    """Accept every update under a new id; answer 404 to every GET."""
    if method == "GET":
        return 404, {}, b""
    count = len(json.loads(body)["updates"])
    ids = (str(uuid.UUID(int=(0x019A << 112) | (7 << 76) | (2 << 62) | (uuid.uuid4().int >> 68))) for _ in range(count))
    value = [{"index": index, "id": update_id, "status": "notStarted"} for index, update_id in enumerate(ids)]
    return 202, {"Content-Type": "application/json"}, json.dumps({"value": value}).encode()


def peak(path: Path, url: str, report: Path) -> int:
    """Return the most memory that the submission of a file takes, in KiB."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", _PEAK, "submit", str(path), "--url", url, "--json", "--report", str(report)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] == path.read_text().count("\n") - 1
    return int(done.stderr.split()[-1])


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """100,000 rows take less than 1.3 times the memory of 1,000."""
    sizes = {}
    with listening(accepting) as url:
        for count in (1_000, 100_000):
            path = tmp_path / f"{count}.csv"
            path.write_text(HEADER + "".join(f"{POLICY},user-{n},compliant,{n},\n" for n in range(count)))
            sizes[count] = peak(path, url, tmp_path / "report.csv")
    assert sizes[100_000] < 1.3 * sizes[1_000], sizes
