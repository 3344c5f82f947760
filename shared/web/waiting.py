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
#: A caller is answered within ten seconds, whatever storage or the identity endpoint does.
MAX_ANSWER_SECONDS = 9.0
_FIRST_PAUSE, _MAX_PAUSE = 0.1, 1.0


@dataclass(frozen=True)
class Waiting:
    """``threads`` take the calls that block, ``sleep`` is the loop's."""

    outcomes: OutcomeStore
    clock: Clock
    threads: Executor
    sleep: Callable[[float], Awaitable[None]]
    answer_seconds: float = MAX_ANSWER_SECONDS

    async def run[T](self, call: Callable[[], T]) -> T:
        """A blocking call, off the loop, with this invocation's context (its id in every log line)."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self.threads, lambda: context.run(call))

    async def in_time[T](self, call: Callable[[], T]) -> T:
        """Return what a caller waits for. Raise ``Unavailable`` where storage does not answer in time."""
        try:
            return await asyncio.wait_for(self.run(call), self.answer_seconds)
        except TimeoutError as error:
            raise self._late() from error

    def finish_in_time[T](self, call: Callable[[], T]) -> T:
        """The same for a handler that has a thread of its own."""
        running = self.threads.submit(contextvars.copy_context().run, call)
        try:
            return running.result(self.answer_seconds)
        except TimeoutError as error:
            running.cancel()
            raise self._late() from error

    def _late(self) -> Unavailable:
        return Unavailable(f"no answer within {self.answer_seconds:g} seconds")

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
        pause = min(pause * 1.5, _MAX_PAUSE)
