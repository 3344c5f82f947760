"""Retries: growing pauses with jitter, until too many seconds have passed since the last success."""

from collections.abc import Callable

from relay.errors import CommandError
from relay.system import Clock

_FIRST_PAUSE, _MAX_PAUSE, _MAX_DOUBLINGS = 0.5, 30.0, 10
#: Called before each pause with the reason and the pause's seconds.
type RetryNotice = Callable[[str, float], None]


class RetryBackoff:
    """Exponential backoff; with ``max_seconds`` 0 nothing is tried a second time."""

    def __init__(self, max_seconds: float, clock: Clock, jitter: Callable[[], float], notify: RetryNotice) -> None:
        self._max_seconds, self._clock, self._jitter, self._notify = max_seconds, clock, jitter, notify
        self._tries = 0
        self._first_failure: float | None = None

    def wait(self, error: CommandError, retry_after: float | None = None) -> None:
        """Wait before the next try, at least ``retry_after`` seconds. Raise ``error`` when that would be too long."""
        now = self._clock.monotonic()
        self._first_failure = now if self._first_failure is None else self._first_failure
        ceiling = min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** min(self._tries, _MAX_DOUBLINGS))
        seconds = max(retry_after or 0.0, ceiling * (0.5 + self._jitter() / 2))
        if now + seconds - self._first_failure > self._max_seconds:
            raise error
        self._tries += 1
        self._notify(error.message, seconds)
        self._clock.sleep(seconds)

    def reset(self) -> None:
        """Start again from the shortest pause, after a success."""
        self._tries, self._first_failure = 0, None
