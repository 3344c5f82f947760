"""Ending an update from outside its turn, under the lease of its user status: canceled, or given up as poison."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.core.envelope import Envelope
from shared.core.outcome import Outcome
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
