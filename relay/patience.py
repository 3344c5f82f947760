"""Trying again: pauses that grow, with jitter, until nothing has gone well for so many seconds."""

from collections.abc import Callable

from relay.failure import Failure
from relay.outside import Clock

_FIRST_SECONDS, _LONGEST_SECONDS, _MOST_DOUBLINGS = 0.5, 30.0, 10
#: What a person is told: why, and in how many seconds it is tried again.
type Notice = Callable[[str, float], None]


class Patience:
    """One command's; ``seconds`` 0 tries everything once."""

    def __init__(self, seconds: float, clock: Clock, jitter: Callable[[], float], notice: Notice) -> None:
        self._seconds, self._clock, self._jitter, self._notice = seconds, clock, jitter, notice
        self._tries = 0
        self._since: float | None = None

    def pause(self, why: Failure, retry_after: float | None = None) -> None:
        """Wait before the next try; raises ``why`` when that would take too long."""
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        ceiling = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(self._tries, _MOST_DOUBLINGS))
        seconds = max(retry_after or 0.0, ceiling * (0.5 + self._jitter() / 2))
        if now + seconds - self._since > self._seconds:
            raise why
        self._tries += 1
        self._notice(why.message, seconds)
        self._clock.sleep(seconds)

    def reset(self) -> None:
        """Something went well."""
        self._tries, self._since = 0, None
