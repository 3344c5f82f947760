"""The app in a process of its own: Microsoft's Python runtime, and a small listener of ours around it.

It is not the Functions host: triggers, leases and poison imitate it. ``func start`` runs the same app.
"""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from emulator import runtime
from emulator.host_settings import read_host_json, read_local_settings
from emulator.http_listener import HttpListener
from emulator.queue_listener import QueueListener
from emulator.timers import run_timer

log = logging.getLogger("host")

#: How long running invocations may take to finish.
GRACE_SECONDS = 30.0
#: With this variable set, the host asks for that function key as Azure's does: 401 without a body.
FUNCTION_KEY = "EMULATOR_FUNCTION_KEY"
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


async def serve(app: Path, port: int, lock_seconds: int) -> int:
    """Run the app until a signal; the exit status."""
    read_local_settings(app)
    try:
        functions = await runtime.load(app)
    except runtime.LoadError as error:
        print(f"the app cannot start: {error}", file=sys.stderr)
        return 1
    options = read_host_json(app)
    kinds: dict[str, list[runtime.Function]] = {}
    for function in functions:
        kinds.setdefault(function.trigger["type"].lower(), []).append(function)
    queues = [QueueListener(one, options.queues, lock_seconds) for one in kinds.get("queuetrigger", [])]
    http = HttpListener(kinds.get("httptrigger", []), options.route_prefix, os.environ.get(FUNCTION_KEY) or None)
    runner = web.AppRunner(http.application(), auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    consuming = [asyncio.create_task(listener.run()) for listener in queues]
    timers = [asyncio.create_task(run_timer(one)) for one in kinds.get("timertrigger", [])]
    log.info("host is ready on http://127.0.0.1:%s with %s functions", port, len(functions))
    await _until_signal([*consuming, *timers])
    log.info("stopping")
    for task in timers:
        task.cancel()
    await runner.cleanup()
    await asyncio.gather(*(listener.stop(GRACE_SECONDS) for listener in queues))
    await asyncio.wait([*consuming, *timers], timeout=1) if consuming or timers else None
    runtime.stop()
    return 0


async def _until_signal(tasks: list[asyncio.Task[None]]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task.done() and task.exception():
            log.error("a listener died: %r", task.exception())
