"""A clock for real threads: time moves on only when all of them wait, straight to the first moment that one waits for.

One thread runs at a time, so every run with the same threads is the same.
"""

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.builders import NOW


class VirtualTime:
    """A ``Clock``; only threads that ``run`` started may pause."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._number = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def pause(self, seconds: float) -> None:
        woken = threading.Event()
        with self._lock:
            heapq.heappush(self._waiting, (self.seconds + seconds, next(self._number), woken))
            self._wake_next()
        woken.wait()

    def run(self, *jobs: Callable[[], None]) -> None:
        """Run all jobs to their end; raise the first error of any."""
        errors: list[BaseException] = []

        def begin(job: Callable[[], None], woken: threading.Event) -> None:
            woken.wait()
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - raised below, on the test's own thread
                errors.append(error)
            with self._lock:
                self._wake_next()

        threads = []
        for job in jobs:
            woken = threading.Event()
            heapq.heappush(self._waiting, (self.seconds, next(self._number), woken))
            threads.append(threading.Thread(target=begin, args=(job, woken)))
        for thread in threads:
            thread.start()
        with self._lock:
            self._wake_next()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _wake_next(self) -> None:
        if self._waiting:
            moment, _, woken = heapq.heappop(self._waiting)
            self.seconds = max(self.seconds, moment)
            woken.set()


class SkewedClock:
    """The clock of an instance that is ahead of the others, or behind."""

    def __init__(self, time: VirtualTime, seconds: float) -> None:
        self._time, self._ahead = time, timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._time.now() + self._ahead

    def pause(self, seconds: float) -> None:
        self._time.pause(seconds)
