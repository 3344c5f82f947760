"""The emulated host starts, stops and keeps time as Microsoft's host did."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from emulator.children import StartError, in_use
from emulator.stack import Azurite, Host, azurite, started, until
from tests.emulator.host_answers import copy_app, read_records

pytestmark = pytest.mark.azurite

LONG = "60"


@pytest.fixture(scope="module")
def storage() -> Iterator[Azurite]:
    """One for all; each test empties its queues."""
    with azurite() as part:
        yield part


class World:
    """A host with the app of the answers, and its queues."""

    def __init__(self, folder: Path, storage: Azurite, **settings: str) -> None:
        self.app, self._records, self._storage = copy_app(folder), folder / "records", storage
        self.env = {"ANSWERS_STORAGE": storage.connection_string, "ANSWERS_FILE": str(self._records)} | settings
        self.timers = folder / "state"
        for name in ("ha-record", "ha-sleep"):
            with suppress(ResourceNotFoundError):
                self.queue(name).delete_queue()
            self.queue(name).create_queue()

    def host(self, stop_seconds: tuple[float, float] = (30, 10)) -> Host:
        return Host(self.app, self.env, folder=self.timers, stop_seconds=stop_seconds)

    def queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(self._storage.connection_string, name)

    def events(self, event: str, **members: Any) -> list[dict[str, Any]]:
        """What the app has recorded."""
        found = read_records(self._records)
        return [record for record in found if record["event"] == event and members.items() <= record.items()]

    def wait(self, event: str, count: int = 1, **members: Any) -> list[dict[str, Any]]:
        until(lambda: len(self.events(event, **members)) >= count, 30, f"{event} {members}")
        return self.events(event, **members)


@pytest.fixture
def world(tmp_path: Path, storage: Azurite) -> World:
    """A fresh one."""
    return World(tmp_path, storage)


def after(call: Any, condition: Any) -> Any:
    """Begin a call, and go on when the condition holds."""
    threads = ThreadPoolExecutor(1)
    found = threads.submit(call)
    threads.shutdown(wait=False)
    until(condition, 30, "the call to be under way")
    return found


def test_a_stop_waits_for_requests_and_messages(world: World) -> None:
    """The port closes at once; what runs ends, and new messages are taken until then."""
    with started(world.host()) as host:
        world.queue("ha-sleep").send_message("3")
        world.wait("seen", queue="ha-sleep")
        url = f"{host.base_url}/api/sleep?seconds=2"
        answer = after(lambda: requests.get(url, timeout=30), lambda: bool(world.events("start")))
        stopping = after(host.stop, lambda: not in_use(host.port))
        world.queue("ha-record").send_message("late")
        world.wait("seen", queue="ha-record")
        assert not world.events("end")
        assert stopping.result() == 0
        assert answer.result().status_code == 200
    assert world.events("end", queue="ha-sleep")
    assert world.queue("ha-sleep").get_queue_properties().approximate_message_count == 0


@pytest.mark.parametrize("path", ["sleep", "sleep-async"])
def test_what_takes_too_long_is_cut(world: World, path: str) -> None:
    """A request gets no answer, a message stays hidden for its lease; the exit status is 0 all the same."""
    with started(world.host(stop_seconds=(1, 1))) as host:
        world.queue("ha-sleep").send_message(LONG)
        url = f"{host.base_url}/api/{path}?seconds={LONG}"
        answer = after(lambda: requests.get(url, timeout=30), lambda: bool(world.events("start")))
        world.wait("seen", queue="ha-sleep")
        assert host.stop() == 0
        with pytest.raises(requests.ConnectionError):
            answer.result()
    assert not world.events("end")
    queue = world.queue("ha-sleep")
    assert queue.get_queue_properties().approximate_message_count == 1
    assert not queue.peek_messages()


def test_a_missed_run_is_made_up_for_once(world: World) -> None:
    """Not at the first start; then with ``past_due``, and what is remembered of the last run."""
    remembered = world.timers / "timers" / "t_nightly.json"
    with started(world.host()) as host:
        first = world.wait("run", timer="t_startup")[0]
        until(remembered.exists, 10, "a memory of the schedule")
        host.stop()
    assert first["past_due"] is False
    assert first["status"]["Last"].startswith("0001-01-01")
    assert not world.events("run", timer="t_nightly")

    missed = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    remembered.write_text(json.dumps(json.loads(remembered.read_text()) | {"Next": missed}))
    for startups in (2, 3):
        with started(world.host()) as host:
            world.wait("run", startups, timer="t_startup")
            world.wait("run", timer="t_nightly")
            host.stop()
    (nightly,) = world.events("run", timer="t_nightly")
    assert nightly["past_due"] is True
    assert nightly["status"]["Next"] == missed


def test_a_run_longer_than_its_step_is_followed_by_the_next_at_once(tmp_path: Path, storage: Azurite) -> None:
    """Before the next occurrence: those that were missed make one run. A failure changes nothing."""
    world = World(tmp_path, storage, ANSWERS_SLOW_TIMER="1")
    with started(world.host()):
        runs = world.wait("run", 2, timer="t_slow")
    ended = world.events("end", timer="t_slow")[0]["at"]
    assert ended <= runs[1]["at"] < ended - ended % 2 + 2
    assert [(run["past_due"], run["status"]) for run in runs[:2]] == [(False, {}), (False, {})]


def test_one_of_two_hosts_runs_a_timer(world: World) -> None:
    """The other one begins when the first is gone."""
    with started(world.host()) as host:
        world.wait("run", timer="t_startup")
        with started(world.host()) as other:
            world.queue("ha-record").send_message("both are up")
            world.wait("seen", queue="ha-record")
            assert len(world.events("run", timer="t_startup")) == 1
            host.stop()
            world.wait("run", 2, timer="t_startup")
            assert other.running()


def test_a_function_that_cannot_be_fed_is_switched_off_alone(world: World) -> None:
    """No connection, no schedule: the host says so and runs the others."""
    with started(world.host()) as host:
        world.wait("run", timer="t_startup")
        assert "q_elsewhere is switched off" in host.log()
        assert "t_none is switched off" in host.log()
        assert "route_admin: a route must not start with" in host.log()


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ('{"extensions": {"queues": {"batchSize": 33}}}', "batchSize must be 1 to 32"),
        ("{", "host.json is not JSON"),
    ],
)
def test_a_host_json_that_the_host_refuses_is_refused(world: World, settings: str, error: str) -> None:
    """Nothing answers; the real host says 503 to everything."""
    (world.app / "host.json").write_text(settings)
    with pytest.raises(StartError, match=error), started(world.host()):
        pass


def test_a_route_constraint_that_is_none_is_refused(world: World) -> None:
    """The real host says 503 to everything."""
    function = "\n@app.route('bad/{x:nosuch}')\ndef bad(req: func.HttpRequest) -> str:\n    return ''\n"
    with (world.app / "function_app.py").open("a") as file:
        file.write(function)
    with pytest.raises(StartError, match="nosuch"), started(world.host()):
        pass


def test_with_telemetry_the_trace_is_the_hosts_own_span_in_the_callers_trace(world: World) -> None:
    """What is no ``traceparent`` begins a trace. Without telemetry there is none."""
    path = world.app / "host.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"telemetryMode": "OpenTelemetry"}))
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with started(world.host()) as host:

        def facts(**headers: str) -> dict[str, str]:
            found: dict[str, str] = requests.get(f"{host.base_url}/api/facts", headers=headers, timeout=10).json()
            return found

        ours, garbage, none = facts(traceparent=caller, tracestate="a=1"), facts(traceparent="garbage"), facts()
    assert ours["trace_parent"][:36] == caller[:36]
    assert ours["trace_parent"] != caller
    assert ours["trace_state"] == "a=1"
    assert len({record["trace_parent"][3:35] for record in (ours, garbage, none)}) == 3
    assert garbage["trace_state"] == ""
