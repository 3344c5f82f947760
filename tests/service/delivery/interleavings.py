"""Several hosts over one storage: one thread at a time runs, and a seed chooses what happens at every call.

At each call to storage or Graph a host hands over to the scheduler. The seed says who goes on, who dies, which storage
call is applied although its answer says otherwise, and what Graph answers and when it applies the write.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.core.basics.timestamp import ticks
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import TransportFault
from shared.service.ports.storage import Conflict, Unavailable
from shared.settings import Settings
from shared.wiring.services import Services
from tests.fakes.graph import LateLanding, ScriptedGraph
from tests.fakes.runtime import SteppedClock
from tests.world import World

SETTINGS = Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", "RETRY_MAX_SECONDS": "60"})
PORTS = ("queue", "outcomes", "user_statuses", "rate_limit", "idempotency_keys", "graph")
#: A write lands this many seconds after its call ended, at most: less than the lease leaves it, and than clocks differ.
MAX_LANDING_SECONDS = 9
MAX_SKEW_SECONDS = 2
NOT_APPLIED = [GraphReply(503), GraphReply(429, retry_after_seconds=5.0), GraphReply(403), GraphReply(409)]
SILENT = [
    GraphReply(None, TransportFault.TIMEOUT),
    GraphReply(None, TransportFault.DISCONNECTED),
    GraphReply(408),
    GraphReply(502),
    GraphReply(504),
]


class Crash(BaseException):
    """The host's process dies here."""


@dataclass
class Faults:
    """How many of each kind of fault are left."""

    crashes: int = 0
    storage: int = 0
    graph: int = 0


@dataclass
class Scheduler:
    """One thread at a time; who is next is the seed's choice."""

    chance: random.Random
    faults: Faults
    turn: threading.Condition = field(default_factory=threading.Condition)
    ready: list[str] = field(default_factory=list)
    running: str | None = None
    alive: int = 0

    def pause(self, name: str) -> None:
        """Hand over; maybe die."""
        with self.turn:
            self.ready.append(name)
            self.running = None
            self._next()
            while self.running != name:
                self.turn.wait()
        if self.faults.crashes and self.chance.random() < 0.03:
            self.faults.crashes -= 1
            raise Crash

    def storage_fault(self) -> str | None:
        """Return what becomes of a storage call's answer: lost for good, or asked for again by the SDK."""
        if not self.faults.storage or self.chance.random() > 0.04:
            return None
        self.faults.storage -= 1
        return self.chance.choice(["lost", "repeated"])

    def run(self, jobs: dict[str, Callable[[], None]]) -> None:
        """Run all to their end."""
        self.alive = len(jobs)
        threads = [threading.Thread(target=self._job, args=job) for job in jobs.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _next(self) -> None:
        if self.running is None and len(self.ready) == self.alive and self.ready:
            self.running = self.ready.pop(self.chance.randrange(len(self.ready)))
            self.turn.notify_all()

    def _job(self, name: str, job: Callable[[], None]) -> None:
        try:
            self.pause(name)
            job()
        except Crash:
            pass
        finally:
            with self.turn:
                self.alive -= 1
                self.running = None
                self._next()


class Interrupted:
    """A port at each of whose calls another host may come first, and whose answer may be lost.

    A call to Graph begins when its turn has just looked at the clock: Graph knows no fencing token, so a process that
    stands still between the two for longer than its lease's spare seconds cannot be stopped.
    """

    def __init__(self, port: Any, scheduler: Scheduler, name: str) -> None:
        self._port, self._scheduler, self._name = port, scheduler, name
        self._graph = isinstance(port, ScriptedGraph)

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._port, method)

        def call(*args: Any, **kwargs: Any) -> Any:
            if not self._graph:
                self._scheduler.pause(self._name)
            answer = inner(*args, **kwargs)
            fault = None if self._graph else self._scheduler.storage_fault()
            if fault == "lost":
                raise Unavailable("the answer was lost")
            if fault == "repeated":
                answer = inner(*args, **kwargs)
            self._scheduler.pause(self._name)
            return answer

        return call


class SkewedClock:
    """A host's clock, seconds off the others': waiting moves the time of all, and lets the others go on."""

    def __init__(self, clock: SteppedClock, scheduler: Scheduler, name: str, skew: float) -> None:
        self._clock, self._scheduler, self._name = clock, scheduler, name
        self._skew = timedelta(seconds=skew)

    def now(self) -> datetime:
        return self._clock.now() + self._skew

    def pause(self, seconds: float) -> None:
        end = self._clock.now() + timedelta(seconds=seconds)
        self._scheduler.pause(self._name)
        self._clock.moment = max(self._clock.moment, end)


class WatchedGraph(ScriptedGraph):
    """Fails and applies late by chance, refuses some values, and notes what must never happen.

    ``must_rise``: no write may be applied after one with a newer report. ``ended`` are the counts of canceled and
    failed updates: a call must not carry one.
    """

    def __init__(self, clock: SteppedClock, chance: random.Random, faults: Faults, *, must_rise: bool) -> None:
        super().__init__(clock)
        self.chance, self.faults, self.must_rise = chance, faults, must_rise
        self.reported: dict[tuple[str, str], int] = {}
        self.ended: Callable[[int], bool] = lambda count: False
        self.wrong: list[str] = []

    def patch_user_status(self, policy_id: str, user_status_id: str, properties: Any, *, token: str) -> Any:
        if self.ended(properties["devicesCount"]):
            self.wrong.append(f"{properties['devicesCount']} was sent after its end")
        if self.faults.graph and self.chance.random() < 0.3:
            self.faults.graph -= 1
            late = LateLanding(self.chance.choice(SILENT), self.chance.uniform(0, MAX_LANDING_SECONDS))
            self.replies = [self.chance.choice([late, self.chance.choice(SILENT + NOT_APPLIED)])]
        return super().patch_user_status(policy_id, user_status_id, properties, token=token)

    def apply(self, key: tuple[str, str], properties: dict[str, Any]) -> None:
        reported = ticks(properties["lastReportedDateTime"]) or 0
        if self.must_rise and reported < self.reported.get(key, 0):
            self.wrong.append(f"{key[1]} went back")
        self.reported[key] = reported
        super().apply(key, properties)


def host(world: World, scheduler: Scheduler, name: str) -> Services:
    """Return one more instance over the same storage, its clock a little off."""
    ports = {port: Interrupted(getattr(world, port), scheduler, name) for port in PORTS}
    skew = scheduler.chance.uniform(-MAX_SKEW_SECONDS, MAX_SKEW_SECONDS)
    clock = SkewedClock(world.clock, scheduler, name, skew)
    return Services(SETTINGS, **(world.ports() | ports | {"clock": clock}))


def consume(world: World, relay: Services, most: int = 60) -> Callable[[], None]:
    """Return what a host does: receive, run, delete; an exception brings the message back."""

    def job() -> None:
        for _ in range(most):
            message = world.queue.receive()
            if message is None:
                if not world.queue.messages:
                    return
                world.clock.moment += timedelta(seconds=5)
                continue
            try:
                relay.deliver(message.delivery())
            except (Unavailable, Conflict):
                message.visible = world.clock.now() + timedelta(seconds=30)
                continue
            if message in world.queue.messages:
                world.queue.delete(message)

    return job


def finish(world: World, most: int = 3000) -> None:
    """Let a healthy host take what the others left, moving time to the next message whenever none is visible."""
    for _ in range(most):
        if not world.queue.messages:
            break
        if not world.deliver_next():
            world.clock.moment = max(world.clock.moment, min(message.visible for message in world.queue.messages))
    world.clock.step(minutes=2)
    assert not world.queue.messages
    assert world.graph.state is not None
