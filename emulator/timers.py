"""The timer trigger: NCRONTAB with six fields, one run at a time, a missed run made up for at the next start.

As the host does it (docs/graph-facts.md#f75 and #f89). Where hosts share a folder, one of them runs a timer: the host
holds a lease on a blob for that, this one a lock on a file.
"""

import asyncio
import fcntl
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from cronsim import CronSim, CronSimError

from emulator.host_settings import resolved
from emulator.protos import TypedData
from emulator.runtime import Function, InvocationError, invoke

log = logging.getLogger("host.timer")

_LOCK_SECONDS = 1.0
_NEVER = "0001-01-01T00:00:00+00:00"


class ScheduleError(Exception):
    """The schedule is none: the host runs everything but this function."""


def next_run(schedule: str, now: datetime) -> datetime:
    """Return when ``{second} {minute} {hour} {day} {month} {weekday}`` comes next; seconds as a number or ``*/n``."""
    seconds, _, rest = schedule.partition(" ")
    wanted = _seconds(seconds)
    moment = (now + timedelta(seconds=1)).replace(microsecond=0)
    this_minute = moment.replace(second=0)
    if next(CronSim(rest, this_minute - timedelta(minutes=1))) == this_minute:
        later = [second for second in wanted if second >= moment.second]
        if later:
            return this_minute.replace(second=later[0])
    minute: datetime = next(CronSim(rest, this_minute))
    return minute.replace(second=wanted[0])


def _seconds(field: str) -> list[int]:
    if field.startswith("*"):
        return list(range(0, 60, int(field.partition("/")[2] or 1)))
    return sorted(int(second) for second in field.split(","))


class TimerListener:
    """Runs one function on its schedule until stopped."""

    def __init__(self, function: Function, folder: Path) -> None:
        self._function, self._folder = function, folder
        self._path = folder / f"{function.name}.json"
        self.running: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        try:
            self._schedule = resolved(function.trigger["schedule"])
            next_run(self._schedule, datetime.now(UTC))
            #: Schedules of less than a minute have no monitor: nothing is remembered of them.
            self._monitored = len(_seconds(self._schedule.partition(" ")[0])) == 1
        except (KeyError, ValueError, CronSimError) as error:
            raise ScheduleError(f"{function.name}: {error}") from error

    def stop(self) -> None:
        """Begin no more runs."""
        self._stopped.set()

    def close(self) -> None:
        """Leave behind what still runs."""

    async def run(self) -> None:
        """Run the function when it is due, for as long as this host is the one that does."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{self._function.name}.lock").open("w") as lock:
            while not _locked(lock):
                if await self._waited(_LOCK_SECONDS):
                    return
            await self._run_when_due()

    async def _run_when_due(self) -> None:
        after = datetime.now(UTC)
        status = self._status(after)
        due = datetime.fromisoformat(status["Next"])
        if self._function.trigger.get("runOnStartup"):
            await self._started(after, status, past_due=False)
        elif due < after:
            await self._started(after, status, past_due=True)
        while True:
            due = next_run(self._schedule, after)
            if await self._waited((due - datetime.now(UTC)).total_seconds()):
                return
            # Occurrences that a long run has missed make one run, at once.
            after = max(due, datetime.now(UTC))
            await self._started(after, self._status(after), past_due=False)

    async def _started(self, now: datetime, status: dict[str, str], *, past_due: bool) -> None:
        task = asyncio.create_task(self._run(status, past_due=past_due))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        await task
        self._remember({"Last": now.isoformat(), "LastUpdated": now.isoformat()}, now)

    async def _run(self, status: dict[str, str], *, past_due: bool) -> None:
        given = status if self._monitored else None
        info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": given, "IsPastDue": past_due}
        try:
            await invoke(self._function, TypedData(json=json.dumps(info)), {})
        except InvocationError as error:
            log.error("%s failed: %s", self._function.name, error)

    def _status(self, now: datetime) -> dict[str, str]:
        """Return what is remembered of the last run; at the first start there was none."""
        if self._monitored and self._path.exists():
            found: dict[str, str] = json.loads(self._path.read_text())
            return found
        return self._remember({"Last": _NEVER, "LastUpdated": _NEVER}, now)

    def _remember(self, status: dict[str, Any], now: datetime) -> dict[str, str]:
        status["Next"] = next_run(self._schedule, now).isoformat()
        if self._monitored:
            self._path.write_text(json.dumps(status))
        return status

    async def _waited(self, seconds: float) -> bool:
        """Wait; whether it is time to stop."""
        try:
            await asyncio.wait_for(self._stopped.wait(), max(0.0, seconds))
        except TimeoutError:
            return False
        return True


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
