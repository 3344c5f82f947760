"""Several hosts, crashes, duplicates, failures of Graph: every interleaving ends in the same Graph state.

Each host runs in a thread of its own, but only one thread runs at a time: at every call to storage or Graph it hands
over to the scheduler, and Hypothesis says who goes next, who dies, and what Graph answers.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.basics.timestamp import ticks
from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.service.ports.storage import Conflict, Unavailable
from shared.settings import Settings
from shared.wiring.services import Services
from tests.builders import NOW, POLICY, a_message, an_update
from tests.fakes.graph import ScriptedGraph
from tests.fakes.runtime import SteppedClock
from tests.world import World

SETTINGS = Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", "RETRY_MAX_SECONDS": "60"})


class Crash(BaseException):
    """The host's process dies here."""


@dataclass
class Scheduler:
    """One thread at a time; who is next is the seed's choice."""

    chance: random.Random
    crashes: int
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
        if self.crashes and self.chance.random() < 0.03:
            self.crashes -= 1
            raise Crash

    def _next(self) -> None:
        if self.running is None and len(self.ready) == self.alive and self.ready:
            self.running = self.ready.pop(self.chance.randrange(len(self.ready)))
            self.turn.notify_all()

    def run(self, jobs: dict[str, Callable[[], None]]) -> None:
        """Run all to their end."""
        self.alive = len(jobs)
        threads = [threading.Thread(target=self._job, args=job) for job in jobs.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

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
    """A port at each of whose calls another host may come first, before it or after it."""

    def __init__(self, port: Any, scheduler: Scheduler, name: str) -> None:
        self._port, self._scheduler, self._name = port, scheduler, name

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._port, method)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._scheduler.pause(self._name)
            answer = inner(*args, **kwargs)
            self._scheduler.pause(self._name)
            return answer

        return call


class Patience:
    """A host's clock: waiting moves the time of all, and lets the others go on."""

    def __init__(self, clock: SteppedClock, scheduler: Scheduler, name: str) -> None:
        self._clock, self._scheduler, self._name = clock, scheduler, name

    def now(self) -> Any:
        return self._clock.now()

    def pause(self, seconds: float) -> None:
        end = self._clock.now() + timedelta(seconds=seconds)
        self._scheduler.pause(self._name)
        self._clock.moment = max(self._clock.moment, end)


class WatchedGraph(ScriptedGraph):
    """Fails by chance, and checks what must never happen."""

    def __init__(self, clock: SteppedClock, chance: random.Random, faults: int) -> None:
        super().__init__(clock)
        self.chance, self.faults = chance, faults
        self.at_work: Counter[str] = Counter()
        self.reported: dict[str, int] = {}
        self.wrong: list[str] = []

    def patch_user_status(self, policy_id: str, user_status_id: str, properties: Any, *, token: str) -> Any:
        reported = ticks(properties["lastReportedDateTime"]) or 0
        if reported < self.reported.get(user_status_id, 0):
            self.wrong.append(f"{user_status_id} went back")
        if self.faults and self.chance.random() < 0.3:
            self.faults -= 1
            self.replies = [
                self.chance.choice(
                    [
                        GraphReply(503),
                        GraphReply(429, retry_after_seconds=5.0),
                        GraphReply(None, TransportFault.TIMEOUT),
                    ]
                )
            ]
        answer = super().patch_user_status(policy_id, user_status_id, properties, token=token)
        if answer.reply.status_code == 200:
            self.reported[user_status_id] = reported
        return answer


def host(world: World, scheduler: Scheduler, name: str) -> Services:
    """One more instance, over the same storage."""
    ports = {one: Interrupted(getattr(world, one), scheduler, name) for one in PORTS}
    clock = Patience(world.clock, scheduler, name)
    return Services(SETTINGS, **(world.ports() | ports | {"clock": clock}))


PORTS = ("queue", "outcomes", "user_statuses", "rate_limit", "idempotency_keys", "graph")


def consume(world: World, relay: Services, most: int = 60) -> Callable[[], None]:
    """What a host does: receive, run, delete; an exception brings the message back."""

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


def who(user: int, chance: random.Random) -> dict[str, Any]:
    """A user by id or, sometimes, by principal name."""
    if chance.random() < 0.7:
        return {"deviceComplianceUserStatusId": f"u{user}"}
    return {"deviceComplianceUserStatusId": None, "userPrincipalName": f"user{user}@X.example"}


@settings(max_examples=300)
@given(
    seed=st.integers(0, 2**32),
    reports=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=12),
    crashes=st.integers(0, 4),
    faults=st.integers(0, 4),
    duplicates=st.integers(0, 3),
)
def test_every_interleaving_ends_in_the_same_graph_state(
    seed: int, reports: list[tuple[int, int]], crashes: int, faults: int, duplicates: int
) -> None:
    """The newest report of every user stands, never preceded by a newer one; every update is final, once."""
    chance = random.Random(seed)
    world = World(SETTINGS)
    world.graph = WatchedGraph(world.clock, chance, faults)
    world.relay = Services(SETTINGS, **world.ports())
    world.graph.users[POLICY] = [(f"u{user}", f"User{user}@x.example") for user in range(3)]
    newest: dict[str, tuple[int, int]] = {}
    ids = []
    for n, (user, second) in enumerate(reports):
        status = {"devicesCount": n, "lastReportedDateTime": f"2026-11-23T12:00:{second:02}Z"}
        if chance.random() < 0.3:  # a foreign message, known to nobody before its turn
            import json

            world.queue.put(json.dumps(a_message(**who(user, chance), userStatus=status)))
        else:
            ids.append(world.accept(an_update(**who(user, chance), userStatus=status)))
        newest[f"u{user}"] = max(newest.get(f"u{user}", (0, 0)), (second, n))
    for message in chance.sample(world.queue.messages, min(duplicates, len(world.queue.messages))):
        world.queue.put(message.text)

    scheduler = Scheduler(chance, crashes)
    scheduler.run({name: consume(world, host(world, scheduler, name)) for name in ("one", "two", "three")})
    for _ in range(400):  # what crashed hosts left comes back to a healthy one
        if not world.queue.messages:
            break
        if not world.deliver_next():
            world.clock.moment = max(world.clock.moment, min(one.visible for one in world.queue.messages))

    assert world.graph.wrong == []
    assert not world.queue.messages
    assert all(world.outcome(one).state.final for one in ids)
    assert all(outcome.state.final for outcome, _ in world.outcomes.rows.values())
    assert {outcome.state.status for outcome, _ in world.outcomes.rows.values()} == {"succeeded"}
    for user, (second, n) in newest.items():
        held = world.in_graph(POLICY, user)
        assert held["lastReportedDateTime"] == f"2026-11-23T12:00:{second:02}Z"
        same = [m for m, (u, s) in enumerate(reports) if f"u{u}" == user and s == second]
        assert held["devicesCount"] in same
        assert n in same
    assert world.clock.now() >= NOW
    assert replace(world.rate_limit.pacing) == world.rate_limit.pacing
