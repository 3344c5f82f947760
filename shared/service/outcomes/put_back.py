"""Giving an update another message: its own was lost, or cannot be read.

The message comes first, then the outcome takes its attempt number: every older message of the update is dropped from
then on. Whatever dies in between, the update has a message.
"""

import logging
from dataclasses import dataclass, replace

from shared.core.delivery.outcome import Outcome, State, Transition, advance, unreadable
from shared.core.intake.envelope import Envelope, Unreadable
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock
from shared.service.queues import Queues

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PutBack:
    """Carries updates on from their outcomes."""

    queues: Queues
    repository: OutcomeRepository
    clock: Clock

    def __call__(self, update_id: str) -> Envelope | None:
        """Return the message that was put on the queue, for the next attempt's time; None for a final update."""
        known, now = self.repository.get(update_id), self.clock.now()
        envelope = known.outcome.envelope if known else None
        if known is None or envelope is None or known.outcome.state.final:
            return None
        again = envelope.next_attempt()
        self.queues.put(again, (known.outcome.next_attempt or now) - now)

        def numbered(outcome: Outcome) -> Outcome:
            if outcome.state is State.HELD:
                outcome = advance(outcome, Transition.RESUME, now)
            return replace(outcome, attempt=max(outcome.attempt, again.attempt), last_action=now, put_back=now)

        self.repository.move(again, known, numbered)
        return again

    def instead_of(self, message: Unreadable) -> None:
        """Give an unreadable message its outcome; an update that has one is carried on from that.

        A newer version of this app may have written the message, and have been rolled back since.
        """
        made = self.repository.insert(unreadable(message, self.clock.now()))
        carried = None if made else self(message.id)
        log.warning("unreadable", extra={"update_id": message.id, "carried": carried is not None})
