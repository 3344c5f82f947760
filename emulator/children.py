"""Child processes: started in the background, waited for until ready, stopped by their own ids, or with us."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """A part did not start; the text holds what it printed."""


#: Below the ports that systems give to outgoing connections: one of those must not take a killed part's port.
_PORTS = range(15_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 on which no process listens."""
    ports: list[int] = []
    with ExitStack() as bound:
        while len(ports) < count:
            probe, port = bound.enter_context(socket.socket()), random.choice(_PORTS)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                ports.append(port)
    return ports


def in_use(port: int) -> bool:
    """Return whether a process listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent() -> None:
    # In a group of its own: a Ctrl-C in the terminal reaches the parent alone, which stops its children in order.
    os.setsid()
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One process with its log in a file."""

    def __init__(
        self, command: list[str], env: dict[str, str] | None = None, *, log: Path | None = None, cwd: Path | None = None
    ) -> None:
        self._command, self._env, self._cwd = command, env, cwd
        self.log_path = log or Path(tempfile.mkstemp(prefix="relay-", suffix=".log")[1])
        self._own_log = log is None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its process id. Raise ``StartError`` before it is started."""
        if self._process is None:
            raise StartError("not started")
        return self._process.pid

    def start(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Start it and wait until ``ready``. Raise ``StartError`` when it ends, or is not ready within ``seconds``."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        end = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise StartError(self.log()[-3000:] or f"{self._command[0]} did not start")
            time.sleep(0.03)

    def running(self) -> bool:
        """Return whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self, seconds: float = 40) -> int | None:
        """Ask it to end, and wait; return its exit status."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode

    def kill(self) -> None:
        """End it as a power cut would, with the processes that it has started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        """End it and drop its log."""
        self.kill()
        if self._own_log:
            self.log_path.unlink(missing_ok=True)

    def log(self) -> str:
        """Return what it has printed."""
        return self.log_path.read_text(errors="replace")
