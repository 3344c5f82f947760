"""Cancel an update: either it will not be sent, or the caller learns that it is too late."""

import logging
from dataclasses import dataclass

from shared.core.delivery.outcome import Outcome, State, Transition, advance
from shared.service.audit import Refused
from shared.service.delivery.terminate import InFlight, Terminate
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock

log = logging.getLogger(__name__)


class TooLate(Refused):
    """The update is final, or on its way."""


@dataclass(frozen=True)
class Cancel:
    """Cancels updates, each once: what is canceled is final."""

    repository: OutcomeRepository
    terminate: Terminate
    clock: Clock

    def __call__(self, update_id: str) -> Outcome | TooLate | None:
        """Return the canceled outcome, however often it is asked for; None when there is no such update."""
        known = self.repository.get(update_id)
        if known is None:
            return None
        if known.outcome.state is State.CANCELED:
            return known.outcome
        envelope = known.outcome.envelope
        if known.outcome.state.final or envelope is None:
            return TooLate(f"The update is final: {known.outcome.state.status}.")
        now = self.clock.now()
        ended = self.terminate(envelope, lambda outcome: advance(outcome, Transition.CANCEL, now))
        if isinstance(ended, InFlight):
            return TooLate("The update is on its way to Graph.")
        if ended.state is not State.CANCELED:
            return TooLate(f"The update is final: {ended.state.status}.")
        log.info("canceled", extra={"update_id": update_id})
        return ended
