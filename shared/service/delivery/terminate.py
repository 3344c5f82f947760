"""End an update from outside its turn, under the lease of its user status: canceled, or given up as poison.

An update whose user status is not known yet has none to lease: its turn writes the user status into the outcome before
anything else, so the one that replaces the outcome first has it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.delivery.outcome import Outcome, queued
from shared.core.delivery.user_status import (
    Acceptance,
    Lease,
    UserStatusRow,
    is_newer,
    lost_values,
    newer_values,
    superseding_update,
)
from shared.core.intake.envelope import Envelope
from shared.service.delivery.complete import Change, completed
from shared.service.delivery.lease import Claim, Leases
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import Conflict
from shared.service.queues import Queues

_MAX_LOOKS = 5
_PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class InFlight:
    """A turn holds the user status: the update may be on the wire, or land from there."""


@dataclass(frozen=True)
class Terminate:
    """Ends updates whose values nobody is sending."""

    queues: Queues
    leases: Leases
    repository: OutcomeRepository
    clock: Clock
    randomness: Randomness
    verify_after: timedelta | None = None

    def __call__(self, envelope: Envelope, change: Change) -> Outcome | InFlight:
        """Return the final outcome: ``change``'s, or the one that was there before; InFlight after a second or so."""
        for looks_left in reversed(range(_MAX_LOOKS)):
            try:
                ended = self._end(envelope, change)
            except Conflict:
                ended = InFlight()
            if isinstance(ended, Outcome) or not looks_left:
                return ended
            self.clock.pause(_PAUSE_SECONDS)
        return InFlight()

    def _end(self, envelope: Envelope, change: Change) -> Outcome | InFlight:
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

    def _end_leased(self, envelope: Envelope, change: Change) -> Outcome | InFlight:
        holder = f"{self.randomness.bits():x}"
        claim = self.leases.acquire(envelope.user_status_key, UserStatusRow.of(envelope), holder=holder)
        if isinstance(claim, Lease):
            return InFlight()
        known, own = self.repository.get(envelope.id), Acceptance.of(envelope)
        claim.drop([envelope.id])
        if not is_newer(claim.row, own):  # a turn died after it had written these values
            change = self._completing(claim, own)
        elif _has_lost(claim):
            # Graph may hold the values that are withdrawn here: this message's turn sends those that remain.
            self.queues.put(envelope)
        outcome = self.repository.move(envelope, known, change)
        claim.release([envelope.id])
        return outcome

    def _completing(self, claim: Claim, own: Acceptance) -> Callable[[Outcome], Outcome]:
        above, now = superseding_update(claim.row, own), self.clock.now()
        return lambda outcome: completed(outcome, above, None, now, self.verify_after)


def _has_lost(claim: Claim) -> bool:
    """Return whether a confirmed value has to be sent again, where no waiting update has a newer one."""
    return bool(lost_values(claim.row, newer_values(claim.row, claim.accepted.values())))
