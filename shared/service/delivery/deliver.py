"""Consume the queue: read a message, drop what has ended, and give the rest its turn."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.basics.trace import Origin
from shared.core.delivery.outcome import (
    Transition,
    advance,
    error_object,
    is_stale,
    may_have_left_values,
    queued,
)
from shared.core.intake.bundle import Bundle, read_bundle
from shared.core.intake.envelope import Envelope, Received, Unreadable, read_queue_message
from shared.service.delivery.pauses import Hold
from shared.service.delivery.resolve import Resolve
from shared.service.delivery.take_turn import TakeTurn
from shared.service.intake.idempotency import KeyConflict, reserve
from shared.service.outcomes.put_back import PutBack
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import IdempotencyStore, StoredOutcome
from shared.service.ports.telemetry import Telemetry
from shared.service.queues import Queues
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)


#: A bundle is worked off for so long; then comes at most one more turn, which may wait for its slot.
MAX_IN_PLACE = timedelta(seconds=30)


@dataclass(frozen=True)
class Delivery:
    """A queue message as the host hands it over; ``dequeue_count`` is 1 the first time.

    ``invocation`` is the trace context of the host's own span, if it has one. ``bulk``: the bulk lane's queue had it.
    """

    body: bytes
    message_id: str
    inserted: datetime
    dequeue_count: int
    invocation: str | None = None
    bulk: bool = False

    def read(self) -> Received | Unreadable | Bundle:
        """Return the message's update or updates; those of a foreign message on the bulk lane's queue are bulk."""
        bundle = read_bundle(self.body, message_id=self.message_id, inserted=self.inserted)
        return bundle or read_queue_message(
            self.body, message_id=self.message_id, inserted=self.inserted, bulk=self.bulk
        )


@dataclass(frozen=True)
class Deliver:
    """Consumes one delivery. What it raises is an outage of the app's storage or a bug: the host tries again."""

    queues: Queues
    keys: IdempotencyStore
    repository: OutcomeRepository
    hold: Hold
    resolve: Resolve
    take_turn: TakeTurn
    put_back: PutBack
    clock: Clock
    telemetry: Telemetry

    @redacts_errors
    def __call__(self, delivery: Delivery) -> None:
        """Give a readable message its turn, and any other one an outcome that says why not."""
        match delivery.read():
            case Bundle(items) if delivery.dequeue_count > 1:
                self._split(items)
            case Bundle(items):
                self._work_off(items, delivery)
            case item:
                self._one(item, delivery)

    def _work_off(self, items: Sequence[Received | Unreadable], delivery: Delivery) -> None:
        """Give each item its turn, in order of acceptance; what is left after a while goes back as a new bundle."""
        ids = [item.envelope.id if isinstance(item, Received) else item.id for item in items]
        self.repository.note_moved(ids)
        until = self.clock.now() + MAX_IN_PLACE
        for number, item in enumerate(items):
            if number and self.clock.now() >= until:
                self._hand_on(items[number:])
                return
            self._one(item, delivery)

    def _hand_on(self, items: Sequence[Received | Unreadable]) -> None:
        """Put the rest of a bundle as a new one, before this message ends."""
        for item in items:
            if isinstance(item, Unreadable):
                self.put_back.instead_of(item)
        left = [item.envelope for item in items if isinstance(item, Received)]
        if left:
            self.queues.put_together(left)
            self.repository.note_moved([envelope.id for envelope in left])

    def _split(self, items: Sequence[Received | Unreadable]) -> None:
        """Put each item alone: this bundle failed before, and one bad item must not hold up the others."""
        for item in items:
            if isinstance(item, Received):
                self.queues.put(item.envelope)
            else:
                self.put_back.instead_of(item)

    def _one(self, item: Received | Unreadable, delivery: Delivery) -> None:
        origin = Origin(invocation=delivery.invocation)
        match item:
            case Unreadable() as message:
                with self.telemetry.turn(message.id, 1, origin.trace()):
                    self.put_back.instead_of(message)
            case Received(envelope, foreign):
                with self.telemetry.turn(envelope.id, envelope.attempt, origin.trace(envelope.trace)) as here:
                    self._received(envelope.following(here), delivery, foreign=foreign)

    def _received(self, envelope: Envelope, delivery: Delivery, *, foreign: bool) -> None:
        elsewhere = envelope.update.bulk is not delivery.bulk
        if foreign:
            self._foreign(envelope, move=elsewhere or delivery.dequeue_count > 1)
        elif elsewhere:
            self.queues.put(envelope)  # it must not wait among the other lane's turns
        else:
            self._carry(envelope, self.repository.get(envelope.id))

    def _carry(self, envelope: Envelope, known: StoredOutcome | None) -> None:
        if known is None or not is_stale(known.outcome, envelope):
            self._turn(envelope, known)
        elif may_have_left_values(known.outcome) and known.outcome.envelope is not None:
            resolved = replace(envelope, update=known.outcome.envelope.update)
            self._turn(resolved, known)
        else:
            log.info("dropped", extra={"update_id": envelope.id})

    def _foreign(self, envelope: Envelope, *, move: bool) -> None:
        first = reserve(self.keys, envelope)
        if isinstance(first, KeyConflict):
            self._refuse(envelope, first)
        elif first.id != envelope.id and self.repository.get(first.id) is not None:
            log.info("repeated", extra={"update_id": first.id})
        elif move or first.id != envelope.id:
            # A poison copy would lose the ids that this update's own is derived from (docs/graph-facts.md#f33).
            self.queues.put(first)
        else:
            # Its outcome comes first: should this instance be killed, reconciliation knows of the update.
            made = self.repository.insert(queued(first, self.clock.now()))
            self._carry(first, made or self.repository.get(first.id))

    def _turn(self, envelope: Envelope, known: StoredOutcome | None) -> None:
        if self.hold(envelope, known):
            return
        named = self.resolve(envelope, known)
        if named is not None:
            self.take_turn(named, known)

    def _refuse(self, envelope: Envelope, conflict: KeyConflict) -> None:
        now = self.clock.now()
        error = error_object(
            "idempotencyKeyConflict",
            f"The idempotency key belongs to update {conflict.update_id} with another payload.",
        )
        self.repository.insert(advance(queued(envelope, now), Transition.FAIL, now, error=error))
