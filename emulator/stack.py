"""The parts for tests and benches, each a child process on free ports, started until ready and always stopped."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from emulator import azurite as storage
from emulator.children import Child, free_ports, in_use
from emulator.host_process import ROOT, Host
from emulator.identity import HEADER, PATH

_SECONDS = 10


class Azurite:
    """Azurite as a child process; ``kill`` and ``start`` keep its ports and folder."""

    def __init__(self, folder: Path, ports: tuple[int, int, int] | None = None) -> None:
        self.folder = folder
        self.ports = ports or tuple(free_ports(3))
        self.connection_string = storage.connection_string(*self.ports)
        self._child = Child(storage.command(folder, *self.ports))

    def start(self) -> None:
        """Start it, and wait until all its ports answer. Raise ``StartError`` when they do not."""
        self._child.start(lambda: all(in_use(port) for port in self.ports))

    def deploy(self, queue: str = "compliance-updates") -> None:
        """Make the queues, as a deployment does."""
        storage.make_queues(self.connection_string, queue)

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self._child.kill()

    def stop(self) -> None:
        """Stop it in order; wait for at most 10 s."""
        self._child.stop(10)

    def close(self) -> None:
        """Stop it for good, and drop its log."""
        self._child.close()

    def running(self) -> bool:
        """Return whether it runs."""
        return self._child.running()


class Controlled:
    """A part that is steered over HTTP under ``/_emulator``."""

    def __init__(self, kind: str, port: int | None = None) -> None:
        self.port = port or free_ports(1)[0]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._child = Child([sys.executable, "-m", "emulator", kind, f"--port-{kind}", str(self.port)], cwd=ROOT)

    def start(self) -> None:
        """Start it, and wait until it answers. Raise ``StartError`` when it does not."""
        self._child.start(lambda: in_use(self.port))

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self._child.kill()

    def close(self) -> None:
        """Stop it for good, and drop its log."""
        self._child.close()

    def running(self) -> bool:
        """Return whether it runs."""
        return self._child.running()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API; return the answer's JSON, None where there is none."""
        answer = requests.request(method, f"{self.base_url}/_emulator/{path}", json=body, timeout=_SECONDS)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def config(self, **members: Any) -> None:
        """Change its configuration."""
        self.control("PUT", "config", members)

    def fault(self, kind: str, count: int | None = 1, **members: Any) -> None:
        """Make it show this fault for ``count`` requests (None: until cleared)."""
        self.control("POST", "faults", {"kind": kind, "count": count, **members})

    def mend(self) -> None:
        """Clear all faults."""
        self.control("DELETE", "faults")

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests that it got, in their order."""
        found: list[dict[str, Any]] = self.control("GET", "requests")["value"]
        return found

    def summary(self) -> dict[str, Any]:
        """Return its counts of what it was asked."""
        found: dict[str, Any] = self.control("GET", "summary")
        return found


class EmulatedGraph(Controlled):
    """The emulated Graph as a child process."""

    def __init__(self, port: int | None = None) -> None:
        super().__init__("graph", port)

    def writes(self) -> list[dict[str, Any]]:
        """Return the PATCH requests that it got."""
        return [request for request in self.requests() if request["method"] == "PATCH"]

    def statuses(self) -> dict[str, dict[str, Any]]:
        """Return the user statuses that it holds, by their ids."""
        return {status["id"]: status for status in self.control("GET", "state")["value"]}


class EmulatedIdentity(Controlled):
    """The emulated managed identity endpoint as a child process."""

    def __init__(self, port: int | None = None) -> None:
        super().__init__("identity", port)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that point azure-identity here."""
        return {"IDENTITY_ENDPOINT": self.base_url + PATH, "IDENTITY_HEADER": HEADER}


@contextmanager
def azurite() -> Iterator[Azurite]:
    """Yield a new Azurite that runs; stop it and delete its folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="relay-azurite-"))
    part = Azurite(folder)
    try:
        part.start()
        yield part
    finally:
        part.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started[T: (EmulatedGraph, EmulatedIdentity, Host)](part: T) -> Iterator[T]:
    """Start a part and yield it; stop it at the end."""
    try:
        part.start()
        yield part
    finally:
        part.close()


class Stack:
    """Storage, Graph, identity, and as many hosts as asked for."""

    def __init__(self, storage_: Azurite, graph: EmulatedGraph, identity: EmulatedIdentity, hosts: list[Host]) -> None:
        self.storage, self.graph, self.identity, self.hosts = storage_, graph, identity, hosts

    @property
    def base_url(self) -> str:
        """Return the first host's address."""
        return self.hosts[0].base_url

    def environment(self) -> dict[str, str]:
        """Return the settings by which the app finds the parts."""
        return app_environment(self.storage.connection_string, self.graph.base_url) | self.identity.environment


def app_environment(connection_string: str, graph_url: str) -> dict[str, str]:
    """Return the settings that point an app at emulated parts."""
    return {
        "AzureWebJobsStorage": connection_string,
        "UPDATES_STORAGE": connection_string,
        "GRAPH_BASE_URL": graph_url,
    }


@contextmanager
def stack(hosts: int = 1, *, lock_seconds: int = 600, app: Path = ROOT, **settings: str) -> Iterator[Stack]:
    """Yield all parts, started on free ports; ``settings`` are the app's, ``lock_seconds`` is a message's lease."""
    with ExitStack() as all_:
        storage_ = all_.enter_context(azurite())
        storage_.deploy()
        graph = all_.enter_context(started(EmulatedGraph()))
        identity = all_.enter_context(started(EmulatedIdentity()))
        env = app_environment(storage_.connection_string, graph.base_url) | identity.environment | settings
        made = [Host(app, env, lock_seconds=lock_seconds, folder=storage_.folder) for _ in range(hosts)]
        yield Stack(storage_, graph, identity, [all_.enter_context(started(host)) for host in made])


def until(condition: Callable[[], bool], seconds: float = 60, what: str = "the condition") -> None:
    """Wait for a condition, not for time. Raises ``TimeoutError``."""
    end, pause = time.monotonic() + seconds, 0.02
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come true within {seconds} s")
        time.sleep(pause)
        pause = min(pause * 1.2, 0.5)  # a long wait is not worth many looks
