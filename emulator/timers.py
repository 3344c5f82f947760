"""The timer trigger: NCRONTAB with six fields, one run at a time."""

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from emulator.host_settings import resolved
from emulator.protos import TypedData
from emulator.runtime import Function, InvocationError, invoke

log = logging.getLogger("host.timer")


def next_run(schedule: str, now: datetime) -> datetime:
    """When ``{second} {minute} {hour} {day} {month} {weekday}`` comes next; seconds as a number or ``*/n``."""
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
    return sorted(int(one) for one in field.split(","))


async def run_timer(function: Function) -> None:
    """Run the function on its schedule, for ever."""
    schedule = resolved(function.trigger["schedule"])
    if function.trigger.get("runOnStartup"):
        await _run(function)
    while True:
        now = datetime.now(UTC)
        await asyncio.sleep((next_run(schedule, now) - now).total_seconds())
        await _run(function)


async def _run(function: Function) -> None:
    status = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
    try:
        await invoke(function, TypedData(json=json.dumps(status)), {})
    except InvocationError as error:
        log.error("%s failed: %s", function.name, error)
