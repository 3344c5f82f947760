"""Canceling an update: either it will not be sent, or the caller learns that it is too late."""

import logging
from dataclasses import dataclass

from shared.core.outcome import Event, Outcome, State, advance
from shared.service.end import End, OnItsWay
from shared.service.ports import Clock
from shared.service.records import Records

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TooLate:
    """The update is final, or on its way."""

    why: str


@dataclass(frozen=True)
class Cancel:
    """Cancels updates, each once: what is canceled is final."""

    records: Records
    end: End
    clock: Clock

    def __call__(self, update_id: str) -> Outcome | TooLate | None:
        """The canceled outcome; None when there is no such update."""
        known = self.records.get(update_id)
        if known is None:
            return None
        envelope = known.outcome.envelope
        if known.outcome.state.final or envelope is None:
            return TooLate(f"The update is final: {known.outcome.state.status}.")
        now = self.clock.now()
        ended = self.end(envelope, lambda outcome: advance(outcome, Event.CANCEL, now))
        if isinstance(ended, OnItsWay):
            return TooLate("The update is on its way to Graph.")
        if ended.state is not State.CANCELED:
            return TooLate(f"The update is final: {ended.state.status}.")
        log.info("canceled", extra={"update_id": update_id})
        return ended
