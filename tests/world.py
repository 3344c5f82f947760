"""The wired app among its in-memory fakes, and a host that hands it its messages."""

from typing import Any

from shared.core.delivery.outcome import Outcome
from shared.core.delivery.resource import resource
from shared.core.intake.update import Update
from shared.service.intake.accept import Accepted
from shared.service.ports.telemetry import Telemetry
from shared.settings import Settings
from shared.wiring.services import Services
from tests.builders import POLICY, USER, an_update
from tests.fakes.audit import MemoryAudit
from tests.fakes.counters import MemoryCounters
from tests.fakes.erasures import MemoryErasures
from tests.fakes.graph import ScriptedGraph
from tests.fakes.idempotency import MemoryKeys
from tests.fakes.identity import ScriptedIdentity
from tests.fakes.notices import RecordedReceiver
from tests.fakes.outcomes import MemoryOutcomes
from tests.fakes.pauses import MemoryBrake, MemoryPauses
from tests.fakes.queue import MemoryQueue
from tests.fakes.rate_limit import MemoryRateLimit
from tests.fakes.runtime import Alarms, CountedRandomness, SteppedClock
from tests.fakes.telemetry import RecordedTelemetry
from tests.fakes.user_statuses import MemoryUserStatuses


class World:
    """One relay and all that is around it."""

    def __init__(self, settings: Settings, telemetry: Telemetry | None = None) -> None:
        self.clock = SteppedClock()
        self.randomness = CountedRandomness()
        self.queue, self.bulk_queue = MemoryQueue(self.clock), MemoryQueue(self.clock, bulk=True)
        self.notices = MemoryQueue(self.clock)
        self.receivers = {name: RecordedReceiver() for name in settings.notices}
        self.outcomes = MemoryOutcomes()
        self.user_statuses = MemoryUserStatuses()
        self.rate_limit = MemoryRateLimit()
        self.idempotency_keys = MemoryKeys()
        self.graph = ScriptedGraph(self.clock)
        self.identity = ScriptedIdentity()
        self.counters = MemoryCounters()
        self.erasures = MemoryErasures()
        self.audit = MemoryAudit()
        self.pauses = MemoryPauses()
        self.brake = MemoryBrake()
        self.call_later = Alarms()
        self.telemetry = telemetry or RecordedTelemetry()
        self.relay = Services(settings, **self.ports())

    def ports(self) -> dict[str, Any]:
        """Every port's fake, by its name."""
        return {
            "queue": self.queue,
            "bulk_queue": self.bulk_queue,
            "notices": self.notices,
            "notice_receivers": self.receivers,
            "outcomes": self.outcomes,
            "user_statuses": self.user_statuses,
            "idempotency_keys": self.idempotency_keys,
            "rate_limit": self.rate_limit,
            "graph": self.graph,
            "identity": self.identity,
            "counters": self.counters,
            "erasures": self.erasures,
            "audit": self.audit,
            "pauses": self.pauses,
            "brake": self.brake,
            "clock": self.clock,
            "randomness": self.randomness,
            "call_later": self.call_later,
            "sleep": self.sleep,
            "telemetry": self.telemetry,
        }

    async def sleep(self, seconds: float) -> None:
        """The loop's time is the world's: while a caller waits, the host goes on."""
        self.clock.step(seconds=seconds)
        self.deliver_next()

    def accept(self, update: Update | None = None, **changes: Any) -> str:
        """Accept an update; its id."""
        accepted = self.relay.accept(update or an_update(**changes))
        assert isinstance(accepted, Accepted)
        return accepted.outcome.id

    def deliver_next(self) -> bool:
        """Hand the next visible message to the app, as the host does; False when there is none."""
        for queue in (self.queue, self.bulk_queue):
            message = queue.receive()
            if message is not None:
                self.relay.deliver(message.delivery())
                queue.delete(message)
                return True
        return False

    def run(self, most: int = 200) -> None:
        """Deliver until the queue is empty, moving time to the next message whenever none is visible."""
        for _ in range(most):
            messages = [*self.queue.messages, *self.bulk_queue.messages]
            if not messages:
                return
            if not self.deliver_next():
                self.clock.moment = max(self.clock.moment, min(message.visible for message in messages))
        raise AssertionError(f"still {len(messages)} messages after {most} turns")

    def send_notices(self, most: int = 500) -> None:
        """Send notices until the outbox is empty, moving time to the next message whenever none is visible."""
        for _ in range(most):
            if not self.notices.messages:
                return
            message = self.notices.receive()
            if message is None:
                self.clock.moment = max(self.clock.moment, min(each.visible for each in self.notices.messages))
                continue
            self.relay.send_notice(message.text.encode())
            self.notices.delete(message)
        raise AssertionError(f"still {len(self.notices.messages)} notices after {most} turns")

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
