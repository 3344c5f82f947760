"""Ending an update from outside its turn, under the lease of its user status: canceled, or given up as poison.

An update whose user status is not known yet has none to lease: its turn writes the user status into the outcome before
anything else, so whoever replaces the outcome first has it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.core.delivery.outcome import Outcome, queued
from shared.core.delivery.user_status import Acceptance, UserStatusRow, is_newer, superseding_update
from shared.core.intake.envelope import Envelope
from shared.service.delivery.complete import completed
from shared.service.delivery.lease import Leases
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Conflict, UserStatusStore

_TRIES = 5
_PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class InFlight:
    """A turn holds the user status: the update may be on the wire."""


@dataclass(frozen=True)
class Terminate:
    """Ends updates whose values nobody is sending."""

    user_statuses: UserStatusStore
    leases: Leases
    repository: OutcomeRepository
    clock: Clock

    def __call__(self, envelope: Envelope, change: Callable[[Outcome], Outcome]) -> Outcome | InFlight:
        """The outcome that stands then: ``change``'s, or the final one that was there before."""
        for tries_left in reversed(range(_TRIES)):
            try:
                ended = self._end(envelope, change)
            except Conflict:
                ended = InFlight()
            if isinstance(ended, Outcome) or not tries_left:
                return ended
            self.clock.pause(_PAUSE_SECONDS)
        return InFlight()

    def _end(self, envelope: Envelope, change: Callable[[Outcome], Outcome]) -> Outcome | InFlight:
        if envelope.update.device_compliance_user_status_id is not None:
            return self._end_leased(envelope, change)
        known = self.repository.get(envelope.id)
        outcome = known.outcome if known else queued(envelope, self.clock.now())
        if outcome.state.final:
            return outcome
        if outcome.update is not None and outcome.update.resolved is not None:
            return self._end_leased(replace(envelope, update=outcome.update), change)
        ended = change(outcome)
        if not self.repository.write(ended, known):
            raise Conflict(envelope.id)
        return ended

    def _end_leased(self, envelope: Envelope, change: Callable[[Outcome], Outcome]) -> Outcome | InFlight:
        key, own = envelope.user_status_key, Acceptance.of(envelope)
        snapshot = self.user_statuses.read(key)
        row = snapshot.row or UserStatusRow.of(envelope)
        if row.leased_at(self.clock.now()):
            return InFlight()
        held = self.leases.acquire(key, row, replace(snapshot, accepted=(own,)), own, to_send=False)
        if not is_newer(row, own):  # a turn died after it had written these values
            above, now = superseding_update(row, own), self.clock.now()
            change = lambda outcome: completed(outcome, above, None, now)  # noqa: E731 - replaces the caller's
        outcome = self.repository.move(envelope, self.repository.get(envelope.id), change)
        held.release([envelope.id])
        return outcome
