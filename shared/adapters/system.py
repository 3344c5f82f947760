"""The machine itself: its clock, its randomness, its timers and threads."""

import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Block this thread for so many seconds."""
        time.sleep(seconds)


class SystemRandomness:
    """The machine's randomness."""

    def bits(self) -> int:
        """Return 74 random bits, as many as one id takes."""
        return secrets.randbits(74)

    def jitter(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing


def call_later(seconds: float, call: Callable[[], None]) -> None:
    """Call a function after so many seconds, on a thread of its own that does not keep the process alive."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


class ThreadMap:
    """``ConcurrentMap`` on a pool of threads; a single item stays on the caller's thread."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "storage")

    def __call__[T, R](self, call: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return the results in the order of the items."""
        every = list(items)
        return list(self._pool.map(call, every)) if len(every) > 1 else [call(item) for item in every]
