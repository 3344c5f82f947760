"""The clock, randomness and environment of this machine: no other module of the command line reads them."""

import os
import random
import time
from collections.abc import Mapping
from typing import Protocol


class Clock(Protocol):
    """A clock that never goes back, and that can wait."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def epoch_seconds(self) -> int:
        """Return the seconds since 1970-01-01 UTC."""
        return int(time.time())


def jitter() -> float:
    """Return a random number from 0 to 1."""
    return random.random()


def environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return os.environ
