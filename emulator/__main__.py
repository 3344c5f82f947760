"""``python -m emulator``: all parts, or one of ``azurite``, ``graph``, ``identity``, ``host``; Ctrl-C stops them."""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Protocol

from aiohttp import web

from emulator import azurite as storage
from emulator import sign_in
from emulator.children import Child, StartError, free_ports, in_use
from emulator.graph import Graph
from emulator.host import log_to_stderr, serve
from emulator.host_process import ROOT, Host
from emulator.host_settings import LOCK_SECONDS, STOP_SECONDS, HostChoices
from emulator.identity import Identity
from emulator.stack import Azurite, EmulatedGraph, EmulatedIdentity, app_environment

#: The user statuses that Graph holds from the start: the examples name them by user principal name.
_HELD = ROOT / "examples" / "user-statuses.json"
_PORTS = {"blob": 10000, "queue": 10001, "table": 10002, "graph": 7072, "identity": 7073, "host": 7071}


class Part(Protocol):
    """A started process."""

    def running(self) -> bool: ...
    def close(self) -> None: ...


def main() -> int:
    """Run what the arguments name; return the exit status."""
    options = _arguments()
    try:
        match options.part:
            case "graph":
                return _serve(Graph().application(), options.port_graph)
            case "identity":
                return _serve(Identity().application(), options.port_identity)
            case "host":
                return _host(options)
            case "azurite":
                return _run(options, host=False, controlled=False)
            case _:
                return _run(options, host=True, controlled=True)
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m emulator", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("azurite", "graph", "identity", "host"), help="default: all")
    for name, port in _PORTS.items():
        parser.add_argument(f"--port-{name}", type=int, default=port, metavar="N", help=f"default {port}")
    parser.add_argument("--free-ports", action="store_true", help="any ports that are free")
    parser.add_argument("--folder", type=Path, help="keep storage and timers here; default: a fresh folder")
    parser.add_argument("--app", type=Path, default=ROOT, help="the app's folder")
    parser.add_argument("--lock-seconds", type=int, default=LOCK_SECONDS, help="the queue trigger's lease")
    parser.add_argument("--stop-seconds", type=float, nargs=2, default=STOP_SECONDS, help="for requests, for the rest")
    parser.add_argument(
        "--sign-in", action="store_true", help="callers sign in with Entra roles, without function keys"
    )
    parser.add_argument("--log-level", default="INFO")
    options = parser.parse_args()
    if options.free_ports:
        for name, port in zip(_PORTS, free_ports(len(_PORTS)), strict=True):
            setattr(options, f"port_{name}", port)
    return options


def _taken(options: argparse.Namespace, *names: str) -> int | None:
    return next((port for name in names if in_use(port := getattr(options, f"port_{name}"))), None)


def _say_taken(port: int) -> int:
    print(
        f"port {port} is in use: stop what listens there, or choose others (--port-..., --free-ports)", file=sys.stderr
    )
    return 1


def _serve(app: web.Application, port: int) -> int:
    if in_use(port):
        return _say_taken(port)
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, shutdown_timeout=0.2)
    return 0


def _host(options: argparse.Namespace) -> int:
    if in_use(options.port_host):
        return _say_taken(options.port_host)
    log_to_stderr(options.log_level)
    with ExitStack() as parts:
        folder = _folder(options, parts) / "timers"
        choices = HostChoices(folder, options.lock_seconds, tuple(options.stop_seconds))
        return asyncio.run(serve(options.app.resolve(), options.port_host, choices))


def _run(options: argparse.Namespace, *, host: bool, controlled: bool) -> int:
    names = ["blob", "queue", "table"] + (["graph", "identity"] if controlled else []) + (["host"] if host else [])
    taken = _taken(options, *names)
    if taken is not None:
        return _say_taken(taken)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job begins with SIGINT ignored
        signal.signal(number, _interrupt)
    with ExitStack() as parts:
        try:
            running = _start_all(options, parts, host=host, controlled=controlled)
            while all(part.running() for part in running):
                time.sleep(0.2)
            print("a part has stopped by itself; stopping the others", file=sys.stderr)
            return 1
        except (StartError, storage.NotInstalledError) as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("stopping", flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _folder(options: argparse.Namespace, parts: ExitStack) -> Path:
    """Return where things are kept; without a choice, a fresh folder that goes with the parts."""
    if options.folder is not None:
        return Path(options.folder)
    folder = Path(tempfile.mkdtemp(prefix="relay-emulator-"))
    parts.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _start_all(options: argparse.Namespace, parts: ExitStack, *, host: bool, controlled: bool) -> list[Part]:
    folder = _folder(options, parts)
    azurite = Azurite(folder, (options.port_blob, options.port_queue, options.port_table))
    parts.callback(azurite.close)
    azurite.start()
    azurite.deploy(os.environ.get("UPDATES_QUEUE", "compliance-updates"))
    print(f"storage   {azurite.connection_string}", flush=True)
    running: list[Part] = [azurite]
    if controlled:
        graph, identity = EmulatedGraph(options.port_graph), EmulatedIdentity(options.port_identity)
        for part in (graph, identity):
            parts.callback(part.close)
            part.start()
            running.append(part)
        graph.control("PUT", "state", json.loads(_HELD.read_text("utf-8")))
        print(f"graph     {graph.base_url}\nidentity  {identity.base_url}", flush=True)
    if host:
        env = app_environment(azurite.connection_string, graph.base_url) | identity.environment
        env |= sign_in.SETTINGS if options.sign_in else {}
        app = Host(options.app.resolve(), env, lock_seconds=options.lock_seconds, port=options.port_host, folder=folder)
        parts.callback(app.close)
        parts.callback(app.stop)
        parts.enter_context(_shown(app))
        app.start()
        running.append(app)
        ready = _READY_TO_SIGN_IN if options.sign_in else _READY
        print(ready.format(base=app.base_url), flush=True)
    return running


_READY = """relay     {base}/api/updates
dashboard {base}/api/dashboard

Ready. In a second terminal: make demo, or

  curl -i {base}/api/updates -H 'Content-Type: application/json' -d @examples/update.json

Ctrl-C stops everything."""


_READY_TO_SIGN_IN = """relay     {base}/api/updates
dashboard {base}/api/dashboard

Ready. The dashboard asks you to sign in. In a second terminal:

  token=$(python -m emulator.sign_in Updates.Send)
  curl -i {base}/api/updates -H "Authorization: Bearer $token" \\
    -H 'Content-Type: application/json' -d @examples/update.json

Ctrl-C stops everything."""


class _shown:  # noqa: N801 - a context manager
    """Copies the host's log to our own standard error."""

    def __init__(self, host: Host) -> None:
        self._tail = Child(["tail", "-n", "+1", "-F", str(host.log_path)], os.environ.copy(), log=Path("/dev/stderr"))

    def __enter__(self) -> None:
        self._tail.start(lambda: True)

    def __exit__(self, *_: object) -> None:
        self._tail.kill()


if __name__ == "__main__":
    sys.exit(main())
