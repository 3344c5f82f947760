"""Taking an update in: reserve its idempotency key, put it on the queue, register its values, make its outcome.

In this order, so that whatever dies in between, either the message is not there (the caller repeats: same key, same id)
or it is, and the consumer writes what is missing.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.core.envelope import Envelope
from shared.core.outcome import Outcome, queued
from shared.core.registration import acceptance_of, key_of
from shared.core.update import Update
from shared.core.update_id import new_update_id
from shared.service.ports import (
    Chance,
    Clock,
    IdempotencyStore,
    OutcomeStore,
    Reservation,
    Unavailable,
    UpdateQueue,
    UserStatusStore,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accepted:
    """The update is on the queue; ``repeated`` says that an earlier request with this key had put it there."""

    outcome: Outcome
    repeated: bool = False


@dataclass(frozen=True)
class KeyConflict:
    """The idempotency key belongs to another payload, that of this update."""

    update_id: str


@dataclass(frozen=True)
class Accept:
    """Accepts updates. Raises ``Unavailable`` when the queue cannot be written: nothing was accepted then."""

    queue: UpdateQueue
    user_statuses: UserStatusStore
    outcomes: OutcomeStore
    keys: IdempotencyStore
    clock: Clock
    chance: Chance

    def __call__(self, update: Update, *, submitted_by: str | None = None) -> Accepted | KeyConflict:
        """At most four storage calls, five with an idempotency key."""
        envelope = Envelope(
            id=new_update_id(self.clock.now(), self.chance.bits()), attempt=1, update=update, submitted_by=submitted_by
        )
        first = reserve(self.keys, envelope)
        if isinstance(first, KeyConflict):
            return first
        if first.id != envelope.id:
            known = self.outcomes.get(first.id)
            if known is not None:
                return Accepted(known.outcome, repeated=True)
        # Without an outcome nothing proves that the first was queued: it is queued again, under the same id.
        return Accepted(self.enqueue(first), repeated=first.id != envelope.id)

    def enqueue(self, envelope: Envelope) -> Outcome:
        """Put an update on its way; a table that is down is no reason to refuse it."""
        self.queue.put(envelope.to_json())
        outcome = queued(envelope, self.clock.now())
        if envelope.update.device_compliance_user_status_id is not None:
            self._if_possible(envelope, lambda: self.user_statuses.register(key_of(envelope), acceptance_of(envelope)))
        self._if_possible(envelope, lambda: self._record(envelope, outcome))
        return outcome

    def _record(self, envelope: Envelope, outcome: Outcome) -> None:
        if not self.outcomes.insert(outcome) and envelope.update.device_compliance_user_status_id is not None:
            known = self.outcomes.get(envelope.id)
            if known is not None and known.outcome.state.final:  # the consumer was faster: nothing is owed any more
                self.user_statuses.withdraw(key_of(envelope), envelope.id)

    def _if_possible(self, envelope: Envelope, write: Callable[[], None]) -> None:
        try:
            write()
        except Unavailable:
            log.warning("left to the consumer", extra={"update_id": envelope.id})


def reserve(keys: IdempotencyStore, envelope: Envelope) -> Envelope | KeyConflict:
    """The envelope under the id that its idempotency key belongs to."""
    update = envelope.update
    if update.idempotency_key is None:
        return envelope
    scope = hashlib.sha256(f"{update.source or ''}\n{update.idempotency_key}".encode()).hexdigest()
    holder = keys.reserve(scope, Reservation(envelope.id, update.fingerprint()))
    if holder.fingerprint != update.fingerprint():
        return KeyConflict(holder.update_id)
    return replace(envelope, id=holder.update_id)
