"""``python -m relay``, in this process or in one of its own."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

from relay.__main__ import main

ROOT = Path(__file__).parent.parent.parent
#: The process that started the tests may ignore Ctrl-C, and a child would inherit that.
_AS_FROM_A_SHELL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("relay", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class CommandResult:
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return its one JSON document."""
        return json.loads(self.out)


def run(url: str | None, *arguments: str, stdin: bytes = b"") -> CommandResult:
    """Run a command in this process."""
    out, err, real = StringIO(), StringIO(), sys.stdin
    sys.stdin = TextIOWrapper(BytesIO(stdin))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([*arguments, *(("--url", url) if url else ())])
    finally:
        sys.stdin = real
    return CommandResult(status, out.getvalue(), err.getvalue())


def environment(url: str | None = None, **more: str) -> dict[str, str]:
    """Return the environment of a command in a process of its own."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("RELAY_")}
    return inherited | {"PYTHONPATH": str(ROOT)} | ({"RELAY_URL": url} if url else {}) | more


def start(*arguments: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _AS_FROM_A_SHELL, *arguments],
        cwd=cwd,
        env=env or environment(),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[str]) -> CommandResult:
    """Wait for a command's end and return its result."""
    out, err = process.communicate(timeout=120)
    return CommandResult(process.returncode, out, err)
