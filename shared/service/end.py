"""Ending an update from outside its turn, under the lease of its user status: canceled, or given up as poison.

An update whose user status is not known yet has none to lease: its turn writes the user status into the outcome before
anything else, so whoever replaces the outcome first has it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.core.envelope import Envelope
from shared.core.outcome import Outcome, queued
from shared.core.registration import acceptance_of, key_of, row_of
from shared.core.user_status import brings_news, superseder
from shared.service.lease import Leases
from shared.service.ports import Clock, Conflict, UserStatusStore
from shared.service.records import Records
from shared.service.settle import settled_as

_TRIES = 5
_PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class OnItsWay:
    """A turn holds the user status: the update may be on the wire."""


@dataclass(frozen=True)
class End:
    """Ends updates whose values nobody is sending."""

    user_statuses: UserStatusStore
    leases: Leases
    records: Records
    clock: Clock

    def __call__(self, envelope: Envelope, change: Callable[[Outcome], Outcome]) -> Outcome | OnItsWay:
        """The outcome that stands then: ``change``'s, or the final one that was there before."""
        for tries_left in reversed(range(_TRIES)):
            try:
                ended = self._end(envelope, change)
            except Conflict:
                ended = OnItsWay()
            if isinstance(ended, Outcome) or not tries_left:
                return ended
            self.clock.pause(_PAUSE_SECONDS)
        return OnItsWay()

    def _end(self, envelope: Envelope, change: Callable[[Outcome], Outcome]) -> Outcome | OnItsWay:
        if envelope.update.device_compliance_user_status_id is not None:
            return self._end_leased(envelope, change)
        known = self.records.get(envelope.id)
        outcome = known.outcome if known else queued(envelope, self.clock.now())
        if outcome.state.final:
            return outcome
        if outcome.update is not None and outcome.update.resolved is not None:
            return self._end_leased(replace(envelope, update=outcome.update), change)
        ended = change(outcome)
        if not self.records.write(ended, known):
            raise Conflict(envelope.id)
        return ended

    def _end_leased(self, envelope: Envelope, change: Callable[[Outcome], Outcome]) -> Outcome | OnItsWay:
        key, own = key_of(envelope), acceptance_of(envelope)
        snapshot = self.user_statuses.read(key)
        row = snapshot.row or row_of(envelope)
        if row.leased_at(self.clock.now()):
            return OnItsWay()
        held = self.leases.acquire(key, row, replace(snapshot, accepted=(own,)), own, to_send=False)
        if not brings_news(row, own):  # a turn died after it had written these values
            above, now = superseder(row, own), self.clock.now()
            change = lambda outcome: settled_as(outcome, above, None, now)  # noqa: E731 - replaces the caller's
        outcome = self.records.move(envelope, self.records.get(envelope.id), change)
        held.release([envelope.id])
        return outcome
