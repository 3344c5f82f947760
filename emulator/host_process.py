"""The app in a host, as a child process: the emulator's host, or Microsoft's own (``func`` of the Core Tools)."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import requests

from emulator.children import Child, StartError, free_ports, in_use
from emulator.host_settings import LOCK_SECONDS, STOP_SECONDS, HostChoices

ROOT = Path(__file__).parent.parent
#: Which host runs the app: ``emulator`` (the default) or ``func``.
CHOICE = "RELAY_HOST"
_FUNC_SECONDS = 180.0


class Host:
    """The app in a host. The lease of a message and how long a stop waits can be chosen in the emulator alone."""

    def __init__(
        self,
        app: Path,
        env: Mapping[str, str],
        *,
        lock_seconds: int = LOCK_SECONDS,
        stop_seconds: tuple[float, float] = STOP_SECONDS,
        port: int | None = None,
        folder: Path | None = None,
    ) -> None:
        self.port = port or free_ports(1)[0]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._own = tempfile.TemporaryDirectory(prefix="relay-host-")
        self._is_func = chosen() == "func"
        whole = {**os.environ, "PYTHON_THREADPOOL_THREAD_COUNT": "32", **env}
        if self._is_func:
            self._child = Child([_func(), "start", "--port", str(self.port)], _for_func(whole), cwd=app)
        else:
            choices = HostChoices(folder or Path(self._own.name), lock_seconds, stop_seconds)
            self._child = Child(_emulated(app, self.port, choices), _for_emulator(whole), cwd=app)

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._child.pid

    def start(self) -> None:
        """Start it, and wait until it answers. Raise ``StartError`` when it does not."""
        if self._is_func:
            self._child.start(self._says_running, _FUNC_SECONDS)
        else:
            self._child.start(lambda: in_use(self.port))

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self._child.kill()

    @property
    def log_path(self) -> Path:
        """Return the path of its log."""
        return self._child.log_path

    def stop(self) -> int | None:
        """Stop it in order; return its exit status. Requests have 30 s, other functions 10 s more."""
        return self._child.stop(60)

    def close(self) -> None:
        """Stop it for good, and delete its folder."""
        self._child.close()
        self._own.cleanup()

    def running(self) -> bool:
        """Return whether it runs."""
        return self._child.running()

    def log(self) -> str:
        """Return what it has printed."""
        return self._child.log()

    def _says_running(self) -> bool:
        """Return whether the functions answer: ``func`` listens long before that."""
        try:
            status = requests.get(f"{self.base_url}/admin/host/status", timeout=5)
            return status.ok and status.json().get("state") == "Running"
        except (requests.RequestException, ValueError):
            return False


def chosen() -> str:
    """Return which host runs the app. Raises ``StartError`` for one that is not known."""
    choice = os.environ.get(CHOICE, "emulator")
    if choice not in {"emulator", "func"}:
        raise StartError(f"{CHOICE} must be emulator or func, not {choice}")
    return choice


def _func() -> str:
    found = shutil.which("func")
    if found is None:
        raise StartError("there is no func on the PATH: install the Azure Functions Core Tools, or use the emulator")
    return found


def _emulated(app: Path, port: int, choices: HostChoices) -> list[str]:
    options: dict[str, tuple[object, ...]] = {
        "--app": (app,),
        "--port-host": (port,),
        "--folder": (choices.folder,),
        "--lock-seconds": (choices.lock_seconds,),
        "--stop-seconds": choices.stop_seconds,
    }
    words = [str(word) for name, values in options.items() for word in (name, *values)]
    return [sys.executable, "-m", "emulator", "host", *words]


def _for_emulator(env: Mapping[str, str]) -> dict[str, str]:
    return {**env, "PYTHONPATH": str(ROOT)}


def _for_func(env: Mapping[str, str]) -> dict[str, str]:
    """Return the settings with what ``func`` wants besides: this Python for the worker."""
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        **env,
        "VIRTUAL_ENV": sys.prefix,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}",
        "languageWorkers__python__defaultExecutablePath": sys.executable,
    }
