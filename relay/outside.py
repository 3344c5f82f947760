"""The clock, chance and the environment: the one place where the command line touches them."""

import os
import random
import time
from collections.abc import Mapping
from typing import Protocol


class Clock(Protocol):
    """Time that only goes on, and waiting for it."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """This machine's."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def jitter() -> float:
    """From 0 to 1."""
    return random.random()


def environment() -> Mapping[str, str]:
    """This process's."""
    return os.environ
