"""One instance's view of the row that all instances share: read, compared and swapped, and how long that takes.

The row's times are comparable only where clocks agree. Storage says when it wrote the row. So an instance whose clock
is wrong finds out at its first write, and goes by storage's clock from then on.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from shared.core.rate_limit import RateLimitState
from shared.core.rate_limit.state import plausible
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import Conflict, RateLimitStore, Unavailable

log = logging.getLogger(__name__)

_TRIES = 12
_MIN_BACKOFF = 20


_MAX_OBSERVED = 5_000
_ANY = (float("-inf"), float("inf"))


class Estimate:
    """A duration in milliseconds that follows the longer ones of those observed; ``least`` follows the shorter ones."""

    def __init__(self, first: float) -> None:
        self._value = self._least = first

    @property
    def least(self) -> int:
        """Return what it takes at least."""
        return int(self._least)

    def observe(self, milliseconds: int) -> None:
        """Rise fast, fall slowly: an estimate that is too short wastes slots."""
        observed = min(milliseconds, _MAX_OBSERVED)
        difference = observed - self._value
        self._value += difference * (0.5 if difference > 0 else 0.03)
        shorter = observed - self._least
        self._least += shorter * (0.05 if shorter > 0 else 1)

    def __int__(self) -> int:
        return int(self._value)


class SharedRow:
    """Safe to call from any thread; no lock is held while storage is called."""

    def __init__(self, store: RateLimitStore, *, clock: Clock, randomness: Randomness, call_milliseconds: int) -> None:
        self._store, self._clock, self._randomness = store, clock, randomness
        self._call_milliseconds = call_milliseconds
        self._reading, self._lock = Lock(), Lock()
        self._known, self._known_at = RateLimitState(), 0
        self._behind = _ANY
        self.read_takes, self.swap_takes = Estimate(0), Estimate(0)

    @property
    def known(self) -> RateLimitState:
        """Return the row as last seen."""
        return self._known

    def age(self) -> int:
        """Return how many milliseconds ago the row was last seen."""
        return self._local() - self._known_at

    def refresh(self) -> bool:
        """Read the row; return False when another thread is reading it. Raise ``Unavailable`` as storage does."""
        if not self._reading.acquire(blocking=False):
            return False
        try:
            started = self._local()
            self._learn(self._read()[0], started)
            self.read_takes.observe(self._local() - started)
        finally:
            self._reading.release()
        return True

    def swap(self, change: Callable[[RateLimitState], RateLimitState]) -> None:
        """Replace the row by ``change`` of it, which may be called several times.

        Raise ``Conflict`` when other instances were faster each time, ``Unavailable`` when storage does not answer.
        """
        began = self._local()
        for tries_left in reversed(range(_TRIES)):
            started = self._local()
            state, etag = self._read()
            changed = change(state)
            try:
                if changed != state:
                    self._write(changed, etag)
            except Conflict:
                if not tries_left:
                    raise
                # As long as a try takes: instances that are far from storage must not meet again and again.
                longest = max(_MIN_BACKOFF, self._local() - started)
                self._clock.pause(longest / 1000 * self._randomness.jitter())
            else:
                self._learn(changed, started)
                self.swap_takes.observe(self._local() - began)
                return

    def share(self, change: Callable[[RateLimitState], RateLimitState]) -> None:
        """Let this instance know a change at once, and all others as soon as storage lets it.

        A change that is not shared is logged: the call's own outcome matters more, and the next one shares it.
        """
        with self._lock:
            self._known = change(self._known)
        try:
            self.swap(change)
        except (Conflict, Unavailable) as error:
            log.warning("pacing not shared", extra={"reason": type(error).__name__})

    def now(self) -> int:
        """Return the time that all instances share: storage's, as far as this instance's clock contradicts it."""
        return self._local() + self._correction()

    def local_time(self, moment: int) -> datetime:
        """Return a moment of the shared time by this instance's clock."""
        return datetime.fromtimestamp((moment - self._correction()) / 1000, UTC)

    def _read(self) -> tuple[RateLimitState, str | None]:
        state, etag = self._store.read()
        return plausible(state, now=self.now(), call_milliseconds=self._call_milliseconds), etag

    def _write(self, state: RateLimitState, etag: str | None) -> None:
        before = self._local()
        written = self._store.write(state, etag)
        if written is None:
            return
        # Storage wrote it between these two moments, so its clock differs from this one by no less and no more.
        moment, (least, most) = int(written.timestamp() * 1000), self._behind
        this = moment - self._local(), moment - before
        both = max(least, this[0]), min(most, this[1])
        self._behind = both if both[0] <= both[1] else this

    def _correction(self) -> int:
        least, most = self._behind
        return 0 if least <= 0 <= most else int((least + most) / 2)

    def _local(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _learn(self, state: RateLimitState, started: int) -> None:
        with self._lock:
            if started >= self._known_at:
                self._known, self._known_at = state, started
