"""Replaying updates that failed or were canceled: a new update each, once, with the version of the old one.

First the old outcome says by which update it is replayed, then that one is enqueued. Whatever dies in between, the next
replay finds a name without an update and enqueues it under that name.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.basics.trace import Origin
from shared.core.basics.update_id import accepted_at, new_update_id
from shared.core.delivery.outcome import Outcome, State
from shared.core.intake.envelope import Envelope
from shared.core.intake.limits import MAX_REPLAYS
from shared.service.audit import Refused
from shared.service.intake.accept import NOWHERE, Accept, NotQueued
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import Conflict, OutcomeFilter, OutcomeStore, StoredOutcome, Unavailable

log = logging.getLogger(__name__)

REPLAYABLE = (State.FAILED, State.CANCELED)
_PAGE = 1000
_TRIES = 5
_NO_MESSAGE = {True: "The update's message was erased.", False: "The update's message cannot be read."}
#: A replay by filter looks for names without an update this far back.
_UNFINISHED = timedelta(hours=24)


class NotReplayable(Refused):
    """The update is not one that can be replayed (any more)."""


@dataclass(frozen=True)
class Replayed:
    """What a replay by filter did, or would do."""

    matched: int
    replayed: int

    @property
    def remaining(self) -> int:
        """Return how many the next call will find."""
        return self.matched - self.replayed


@dataclass(frozen=True)
class Replay:
    """Replays one update, or those that a filter names."""

    outcomes: OutcomeStore
    accept: Accept
    clock: Clock
    randomness: Randomness

    def __call__(
        self, update_id: str, *, submitted_by: str | None, origin: Origin = NOWHERE
    ) -> Outcome | NotReplayable | None:
        """Return the new update's outcome; None when there is no such update. Raise ``Unavailable``."""
        known = self.outcomes.get(update_id)
        if known is None:
            return None
        envelope = self._claimed(known, submitted_by)
        if isinstance(envelope, NotReplayable):
            return envelope
        outcome = self.accept.enqueue([envelope], origin)[envelope.id]
        if isinstance(outcome, NotQueued):
            raise Unavailable(outcome.why)
        log.info("replayed", extra={"update_id": outcome.id, "replay_of": update_id})
        return outcome

    def some(
        self, wanted: OutcomeFilter, *, submitted_by: str | None, dry_run: bool, origin: Origin = NOWHERE
    ) -> Replayed:
        """Replay up to ``MAX_REPLAYS``, newest first, and those that were named but not enqueued before."""
        found = list(self._replayable(wanted))
        if dry_run:
            return Replayed(len(found), 0)
        claimed = self.accept.each(lambda outcome: self._claim_by_id(outcome.id, submitted_by), found[:MAX_REPLAYS])
        results = self.accept.enqueue([envelope for envelope in claimed if isinstance(envelope, Envelope)], origin)
        replayed = sum(isinstance(result, Outcome) for result in results.values())
        log.info("replayed by filter", extra={"matched": len(found), "replayed": replayed})
        return Replayed(len(found), replayed)

    def _replayable(self, wanted: OutcomeFilter) -> Iterator[Outcome]:
        asked = REPLAYABLE if wanted.states is None else wanted.states
        states = tuple(state for state in asked if state in REPLAYABLE)
        continuation: str | None = None
        while True:
            page = self.outcomes.list(replace(wanted, states=states), _PAGE, continuation)
            readable = [outcome for outcome in page.outcomes if outcome.update is not None]
            left = self.accept.each(self._is_left, readable)
            yield from (outcome for outcome, is_left in zip(readable, left, strict=True) if is_left)
            continuation = page.continuation
            if continuation is None:
                return

    def _is_left(self, outcome: Outcome) -> bool:
        if outcome.replayed_by is None:
            return True
        recent = accepted_at(outcome.replayed_by) > self.clock.now() - _UNFINISHED
        return recent and self.outcomes.get(outcome.replayed_by) is None

    def _claim_by_id(self, update_id: str, submitted_by: str | None) -> Envelope | NotReplayable:
        known = self.outcomes.get(update_id)
        return NotReplayable("It is gone.") if known is None else self._claimed(known, submitted_by)

    def _claimed(self, known: StoredOutcome, submitted_by: str | None) -> Envelope | NotReplayable:
        """Return the replay's message, under the id that the replayed outcome names from now on."""
        for _ in range(_TRIES):
            outcome = known.outcome
            envelope = outcome.envelope
            if outcome.state not in REPLAYABLE:
                return NotReplayable(
                    f"The update is {outcome.state.status}: only failed and canceled ones are replayed."
                )
            if envelope is None:
                return NotReplayable(_NO_MESSAGE[outcome.erased is not None])
            if outcome.replayed_by is not None:
                if self.outcomes.get(outcome.replayed_by) is not None:
                    return NotReplayable(f"The update was replayed by {outcome.replayed_by} already.")
                return _replay_of(envelope, outcome.replayed_by, submitted_by)
            name = new_update_id(self.clock.now(), self.randomness.bits())
            try:
                self.outcomes.replace(replace(outcome, replayed_by=name), known.etag)
            except Conflict:
                known = self.outcomes.get(outcome.id) or known
                continue
            return _replay_of(envelope, name, submitted_by)
        raise Conflict(known.outcome.id)


def _replay_of(envelope: Envelope, name: str, submitted_by: str | None) -> Envelope:
    # A principal name is resolved again: the user status may be another one by now.
    return Envelope(
        id=name,
        attempt=1,
        update=replace(envelope.update, resolved=None),
        submitted_by=submitted_by,
        replay_of=envelope.id,
        version=envelope.ordering,
        traceparent=envelope.traceparent,
    )
