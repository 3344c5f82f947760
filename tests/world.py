"""The wired app among its in-memory twins, and a host that hands it its messages."""

from typing import Any

from shared.core.outcome import Outcome
from shared.core.resource import resource
from shared.core.update import Update
from shared.operations import Operations
from shared.service.accept import Accepted
from shared.service.telemetry import Telemetry
from shared.settings import Settings
from shared.wiring import build
from tests import twins
from tests.builders import POLICY, USER, an_update


class World:
    """One relay and all that is around it."""

    def __init__(self, settings: Settings, telemetry: Telemetry | None = None) -> None:
        self.clock = twins.SteppedClock()
        self.chance = twins.CountedChance()
        self.queue = twins.MemoryQueue(self.clock)
        self.outcomes = twins.MemoryOutcomes()
        self.user_statuses = twins.MemoryUserStatuses()
        self.pacing = twins.MemoryPacing()
        self.keys = twins.MemoryKeys()
        self.graph = twins.ScriptedGraph(self.clock)
        self.identity = twins.ScriptedIdentity()
        self.activity = twins.MemoryActivity()
        self.erasures = twins.MemoryErasures()
        self.later = twins.Alarms()
        self.telemetry = telemetry or twins.RecordedTelemetry()
        self.relay = build(settings, **self.ports())

    def ports(self) -> dict[str, Any]:
        """Every port's twin, by its name."""
        return {
            "queue": self.queue, "outcomes": self.outcomes, "user_statuses": self.user_statuses, "keys": self.keys,
            "pacing": self.pacing, "graph": self.graph, "identity": self.identity, "activity": self.activity,
            "erasures": self.erasures,
            "clock": self.clock, "chance": self.chance, "later": self.later, "sleep": self.sleep,
            "telemetry": self.telemetry,
        }  # fmt: skip

    @property
    def operations(self) -> Operations:
        """What runs on a timer or on an operator's request."""
        return self.relay.operations()

    async def sleep(self, seconds: float) -> None:
        """The loop's time is the world's: while a caller waits, the host goes on."""
        self.clock.step(seconds=seconds)
        self.deliver_next()

    def accept(self, update: Update | None = None, **changes: Any) -> str:
        """Accept an update; its id."""
        accepted = self.relay.api.accept(update or an_update(**changes))
        assert isinstance(accepted, Accepted)
        return accepted.outcome.id

    def deliver_next(self) -> bool:
        """Hand the next visible message to the app, as the host does; False when there is none."""
        message = self.queue.receive()
        if message is None:
            return False
        self.relay.deliver(message.delivery())
        self.queue.delete(message)
        return True

    def run(self, most: int = 200) -> None:
        """Deliver until the queue is empty, moving time to the next message whenever none is visible."""
        for _ in range(most):
            if not self.queue.messages:
                return
            if not self.deliver_next():
                self.clock.moment = max(self.clock.moment, min(one.visible for one in self.queue.messages))
        raise AssertionError(f"still {len(self.queue.messages)} messages after {most} turns")

    def outcome(self, update_id: str) -> Outcome:
        """An update's outcome."""
        stored = self.outcomes.get(update_id)
        assert stored is not None
        return stored.outcome

    def resource(self, update_id: str) -> dict[str, Any]:
        """An update as callers see it."""
        return resource(self.outcome(update_id))

    def in_graph(self, policy: str = POLICY, user: str = USER) -> dict[str, Any]:
        """What Graph holds of a user status."""
        return self.graph.state.get((policy, user), {})
