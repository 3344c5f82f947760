"""Waiting for an update to become final (RFC 7240's ``wait``) on the event loop, so that it holds no thread."""

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from shared.core.delivery.outcome import Outcome
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import OutcomeStore, Unavailable

#: As the API documents it.
MAX_WAIT_SECONDS = 30
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


@dataclass(frozen=True)
class Waiting:
    """``threads`` take the calls that block, ``sleep`` is the loop's."""

    outcomes: OutcomeStore
    clock: Clock
    threads: Executor
    sleep: Callable[[float], Awaitable[None]]

    async def run[T](self, call: Callable[[], T]) -> T:
        """A blocking call, off the loop, with this invocation's context (its id in every log line)."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self.threads, lambda: context.run(call))

    async def until_final(self, outcome: Outcome, seconds: int | None) -> Outcome:
        """The outcome once it is final, or as it is after that time; at once without any."""
        read = functools.partial(self.outcomes.get, outcome.id)
        end = self.clock.now() + timedelta(seconds=seconds or 0)
        for pause in _pauses(seconds or 0):
            if outcome.state.final or self.clock.now() >= end:
                break
            await self.sleep(pause)
            try:
                stored = await self.run(read)
            except Unavailable:  # what is known is answer enough
                break
            outcome = stored.outcome if stored else outcome
        return outcome


def _pauses(left: float) -> Iterator[float]:
    pause = _FIRST_PAUSE
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)
