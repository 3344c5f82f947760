"""Time, randomness and threads, as the use cases need them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> datetime: ...
    def pause(self, seconds: float) -> None: ...


class Randomness(Protocol):
    """Randomness: ids and jitter."""

    def bits(self) -> int: ...
    def jitter(self) -> float: ...


class ConcurrentMap(Protocol):
    """Calls a function with each item, several at a time; the results in order."""

    def __call__[T, R](self, call: Callable[[T], R], items: Iterable[T]) -> list[R]: ...
