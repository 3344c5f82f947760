"""``python -m emulator`` as a user meets it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from emulator.children import free_ports
from emulator.stack import ROOT, EmulatedGraph, started, until

COMMAND = [sys.executable, "-m", "emulator"]


def children(pid: int) -> list[int]:
    """The processes below one."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(number) for number in found.read_text().split()] if found.exists() else []


def alive(pid: int) -> bool:
    """Whether a process runs."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def launched(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """All parts on free ports; their output in a file."""
    output = tmp_path / "out"
    with output.open("wb") as out:
        process = subprocess.Popen([*COMMAND, "--free-ports"], cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process, output
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("after", ["Ready.", "storage", "graph"])
def test_ctrl_c_stops_all_of_it_whatever_state_it_is_in(tmp_path: Path, after: str) -> None:
    """No process is left, no trace is printed."""
    with launched(tmp_path) as (process, output):
        until(lambda: after in output.read_text() or process.poll() is not None, 60, after)
        below = children(process.pid)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert below
    until(lambda: not any(alive(pid) for pid in below), 20, "children to end")
    assert process.returncode == 130
    assert "Traceback" not in output.read_text()


def test_even_a_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    """Its children end with it."""
    with launched(tmp_path) as (process, output):
        until(lambda: "Ready." in output.read_text(), 60, "ready")
        below = children(process.pid)
        process.kill()
        process.wait()
    until(lambda: not any(alive(pid) for pid in below), 20, "children to end")


def test_a_port_in_use_is_said_in_one_line() -> None:
    """And nothing was started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for part in ([], ["host"], ["graph"], ["identity"]):
            command = [*COMMAND, *part, "--free-ports"]
            for name in ("graph", "identity", "host"):
                command += [f"--port-{name}", str(port)]
            done = subprocess.run(
                [word for word in command if word != "--free-ports"], capture_output=True, cwd=ROOT, timeout=60
            )
            assert done.returncode == 1
            assert done.stderr.decode().count("\n") == 1
            assert f"port {port} is in use" in done.stderr.decode()


def test_a_missing_azurite_is_said_in_one_line(tmp_path: Path) -> None:
    """With what to do."""
    env = os.environ | {"AZURITE": str(tmp_path / "nowhere")}
    done = subprocess.run([*COMMAND, "--free-ports"], capture_output=True, cwd=ROOT, env=env, timeout=60)
    assert done.returncode == 1
    assert "npm ci" in done.stderr.decode()


def test_the_strict_graph_refuses_what_graph_would() -> None:
    """Token, verb, path, body."""
    with started(EmulatedGraph(free_ports(1)[0])) as graph:
        base = f"{graph.base_url}/beta/deviceManagement/deviceCompliancePolicies/{'0' * 8}-0000-0000-0000-{'0' * 12}"
        url = f"{base}/userStatuses/u"
        assert requests.patch(url, json={}, timeout=5).status_code == 401
        assert requests.put(url, json={}, timeout=5).status_code == 405
        assert requests.patch(f"{graph.base_url}/beta/users/1", json={}, timeout=5).status_code == 400
        assert [call["status"] for call in graph.writes()] == [401]
