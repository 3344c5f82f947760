"""Time, randomness and timers that a test moves."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.builders import NOW


@dataclass
class SteppedClock:
    """Time that moves when told; a pause moves it."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def pause(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def step(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class CountedRandomness:
    """Ids that count up, jitter that is always the same."""

    same: float = 0.5
    count: itertools.count = field(default_factory=itertools.count)

    def bits(self) -> int:
        return next(self.count)

    def jitter(self) -> float:
        return self.same


@dataclass
class Alarms:
    """What is to be called later; a test decides when."""

    calls: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def ring(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()
