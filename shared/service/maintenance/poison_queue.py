"""The poison queue: a readable message is put back a few times, then its outcome says that it was given up."""

import logging
from dataclasses import dataclass, replace

from shared.core.delivery.outcome import Outcome, Transition, advance, error_object, is_stale
from shared.core.intake.bundle import Bundle
from shared.core.intake.envelope import Envelope, Received, Unreadable, raw_message
from shared.service.delivery.deliver import Delivery
from shared.service.delivery.terminate import InFlight, Terminate
from shared.service.outcomes.put_back import PutBack
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Conflict
from shared.service.queues import Queues
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)

#: How often a readable message comes back from the poison queue.
PUT_BACK_LIMIT = 3


@dataclass(frozen=True)
class ConsumePoison:
    """Consumes one message of the poison queue."""

    queues: Queues
    repository: OutcomeRepository
    put_back: PutBack
    end: Terminate
    clock: Clock

    @redacts_errors
    def __call__(self, delivery: Delivery) -> None:
        """Put the message back or end its update. Raise ``Conflict`` while a turn holds the user status."""
        read = delivery.read()
        for item in read.items if isinstance(read, Bundle) else (read,):
            match item:
                case Unreadable() as message:
                    self.put_back.instead_of(message)
                case Received(envelope):
                    self._readable(envelope, delivery)

    def _readable(self, envelope: Envelope, delivery: Delivery) -> None:
        known = self.repository.get(envelope.id)
        if known is not None and is_stale(known.outcome, envelope):
            return
        if envelope.poisoned < PUT_BACK_LIMIT:
            back = replace(envelope, poisoned=envelope.poisoned + 1)
            self.queues.put(back)
            log.warning("put back from poison", extra={"update_id": envelope.id, "poisoned": back.poisoned})
            return
        self._give_up(envelope, delivery)

    def _give_up(self, envelope: Envelope, delivery: Delivery) -> None:
        now = self.clock.now()
        error = error_object(
            "poisoned", "The message failed again and again inside the relay; see the relay's own logs."
        )
        text, encoding = raw_message(delivery.body)

        def poisoned(outcome: Outcome) -> Outcome:
            failed = advance(outcome, Transition.FAIL, now, error=error)
            return replace(failed, raw_message=text, raw_message_encoding=encoding)

        if isinstance(self.end(envelope, poisoned), InFlight):
            raise Conflict(envelope.id)  # the host brings it again
        log.error("poisoned", extra={"update_id": envelope.id})
