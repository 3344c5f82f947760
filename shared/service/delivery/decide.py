"""Decide what follows from a reply, by the clock and the limits of this app."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.retry import DeliveryLimits, Step, decide
from shared.service.ports.runtime import Clock, Randomness

#: The deadline of an update that could not be tried.
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Decide:
    """Decides for turns and for reads of lists."""

    clock: Clock
    randomness: Randomness
    limits: DeliveryLimits

    def __call__(self, reply: GraphReply, *, attempt: int, deadline: datetime) -> Step:
        """Return the next step after attempt number ``attempt``, from 1."""
        return decide(
            reply,
            attempt=attempt,
            now=self.clock.now(),
            jitter=self.randomness.jitter(),
            policy=self.limits.retry,
            deadline=deadline,
        )

    def deadline(self, accepted: datetime) -> datetime:
        """Return until when an update that was accepted then is tried."""
        return accepted + self.limits.deadline

    def is_over(self, accepted: datetime) -> bool:
        """Return whether the time of an update that was accepted then is over."""
        return self.clock.now() >= self.deadline(accepted)
