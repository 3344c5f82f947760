"""The app in a process of its own: Microsoft's Python runtime, and small listeners of ours around it.

It is not the Functions host: routes, triggers, leases and stops imitate it. ``tests/emulator/host_answers`` holds what
the host answered, and CONTRIBUTING.md says how the two differ. ``func start`` runs the same app.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from aiohttp import web

from emulator import runtime
from emulator.host_settings import HostChoices, LoadError, QueueOptions, read_host_json, read_local_settings
from emulator.http_listener import HttpListener, Keys
from emulator.queue_listener import QueueListener
from emulator.sign_in import SIGN_IN
from emulator.timers import ScheduleError, TimerListener

log = logging.getLogger("host")

_CUT_SECONDS = 1.0
#: With these variables set, the host asks for keys as Azure's does: 401 without a body. The master key opens all.
FUNCTION_KEY = "EMULATOR_FUNCTION_KEY"
MASTER_KEY = "EMULATOR_MASTER_KEY"
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Extras(logging.Formatter):
    """One line per event, with its key=value pairs."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extras = [f"{name}={value}" for name, value in vars(record).items() if name not in _KNOWN]
        return " ".join((line, *extras))


def log_to_stderr(level: str) -> None:
    """Log lines with their extras; the SDKs only when they warn."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Extras("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    for name in ("azure", "aiohttp", "urllib3", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


async def serve(app: Path, port: int, choices: HostChoices) -> int:
    """Run the app until a signal; the exit status."""
    read_local_settings(app)
    signs_in = bool(os.environ.get(SIGN_IN))
    if signs_in:
        os.environ["WEBSITE_AUTH_ENABLED"] = "True"
    try:
        functions = await runtime.load(app)
        options = read_host_json(app)
        http = HttpListener(
            _of(functions, "httptrigger"),
            options.route_prefix,
            _keys(),
            telemetry=options.telemetry,
            signs_in=signs_in,
        )
    except LoadError as error:
        print(f"the app cannot start: {error}", file=sys.stderr)
        return 1
    listeners = _listeners(functions, options.queues, choices)
    runner = web.ServerRunner(http.server(), shutdown_timeout=choices.stop_seconds[0])
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    consuming = [asyncio.create_task(listener.run()) for listener in listeners]
    log.info("host is ready on http://127.0.0.1:%s with %s functions", port, len(functions))
    status = await _until_signal(consuming)
    log.info("stopping")
    await runner.cleanup()
    await _drain(listeners, choices.stop_seconds[1])
    await asyncio.wait(consuming, timeout=1) if consuming else None
    if not _ended(runtime.stop):
        _cut()
    return status


def _of(functions: list[runtime.Function], kind: str) -> list[runtime.Function]:
    return [function for function in functions if function.trigger["type"].lower() == kind]


def _keys() -> Keys:
    return Keys(os.environ.get(FUNCTION_KEY) or None, os.environ.get(MASTER_KEY) or None)


def _listeners(
    functions: list[runtime.Function], options: QueueOptions, choices: HostChoices
) -> list[QueueListener | TimerListener]:
    """Return what feeds the queue and timer functions; one that cannot be fed is switched off alone."""
    found: list[QueueListener | TimerListener] = []
    for function in _of(functions, "queuetrigger"):
        try:
            found.append(QueueListener(function, options, choices.lock_seconds))
        except KeyError as error:
            log.error("%s is switched off: there is no setting %s", function.name, error)
    for function in _of(functions, "timertrigger"):
        try:
            found.append(TimerListener(function, choices.folder))
        except ScheduleError as error:
            log.error("%s is switched off: its schedule is none: %s", function.name, error)
    return found


async def _until_signal(tasks: list[asyncio.Task[None]]) -> int:
    """Return 0 after a signal, 1 after a listener's death."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    died = [error for task in tasks if task.done() and (error := task.exception())]
    for error in died:
        log.error("a listener died: %r", error)
    return 1 if died else 0


async def _drain(listeners: list[QueueListener | TimerListener], seconds: float) -> None:
    """Wait for what runs, so long at most; until then new work is taken, and what is left then is cut."""
    end = asyncio.get_running_loop().time() + seconds
    await _finished(listeners, end)
    for listener in listeners:
        listener.stop()
    await _finished(listeners, end)
    for listener in listeners:
        listener.close()


async def _finished(listeners: list[QueueListener | TimerListener], end: float) -> None:
    running = [task for listener in listeners for task in listener.running]
    if running:
        await asyncio.wait(running, timeout=max(0.0, end - asyncio.get_running_loop().time()))


def _ended(stop: Callable[[], None]) -> bool:
    """Return whether the runtime's threads end soon: they wait for functions that still run."""
    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    thread.join(_CUT_SECONDS)
    return not thread.is_alive()


def _cut() -> NoReturn:
    """End the process with functions that still run, as the host does; a thread cannot be stopped otherwise."""
    log.warning("functions still run; they are cut")
    logging.shutdown()
    os._exit(0)
