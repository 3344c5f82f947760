"""The shared row of the rate limit in memory."""

import threading

from shared.core.rate_limit import RateLimitState
from shared.service.ports.storage import (
    Conflict,
)


class MemoryRateLimit:
    """The shared row."""

    def __init__(self) -> None:
        self.pacing, self.etag, self.reads = RateLimitState(), 0, 0
        self._lock = threading.Lock()

    def read(self) -> tuple[RateLimitState, str | None]:
        with self._lock:
            self.reads += 1
            return self.pacing, str(self.etag) if self.etag else None

    def write(self, pacing: RateLimitState, etag: str | None) -> None:
        with self._lock:
            if (str(self.etag) if self.etag else None) != etag:
                raise Conflict
            self.pacing, self.etag = pacing, self.etag + 1
