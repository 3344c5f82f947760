"""Checks of health and doctor on a few threads of their own, so that one that hangs takes none from the API.

A check that is under way is shared by all who ask for it: however often that is, it runs once at a time.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

#: As many as there are checks, so that each can hang.
_THREADS = 10


class RunningChecks:
    """One for the app; ``result`` may be called from any event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "checks")
        self._lock = Lock()
        self._running: dict[str, Future[Any]] = {}

    async def result[T](self, name: str, check: Callable[[], T], seconds: float) -> T:
        """Return what the check finds. Raise ``TimeoutError`` after ``seconds``; the check then goes on alone."""
        running = self._start(name, check)
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running)), seconds)

    def _start[T](self, name: str, check: Callable[[], T]) -> Future[T]:
        with self._lock:
            running = self._running.get(name)
            if running is None or running.done():
                context = contextvars.copy_context()
                running = self._running[name] = self._threads.submit(context.run, check)
            return running
