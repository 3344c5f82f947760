"""What becomes of refused webhook requests: each is counted and logged, and each item that cannot be read is kept.

A sender seldom reads its answers. So an item of a genuine request that is no valid message gets an outcome, as it would
on the queue. A request that is not genuine leaves only a count: anyone could send it.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared.core.basics.strict_json import Fault
from shared.core.basics.update_id import accepted_at, derived_update_id, new_update_id
from shared.core.delivery.outcome import unreadable
from shared.core.intake.envelope import Unreadable
from shared.core.intake.webhook_source import Refusal
from shared.service.outcomes.counters import Counters
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import IdempotencyStore, KeyReservation, Unavailable
from shared.service.ports.telemetry import Telemetry

log = logging.getLogger(__name__)

#: Stands for every source that is not configured: names that strangers choose are not counted one by one.
UNKNOWN = "*"


@dataclass(frozen=True)
class RefusedItem:
    """An item that is no valid message: its place in the request, its faults, and what came."""

    index: int
    faults: tuple[Fault, ...]
    raw_message: str
    raw_message_encoding: str | None = None


@dataclass(frozen=True)
class WebhookRefusals:
    """Counts requests of webhooks, and keeps the items that cannot be read."""

    keys: IdempotencyStore
    repository: OutcomeRepository
    counters: Counters
    telemetry: Telemetry
    clock: Clock
    randomness: Randomness

    def count(self, source: str, refusal: Refusal | None) -> None:
        """Count one request; ``refusal`` is None where all of it was taken."""
        self.counters.webhook_requested(source, refusal)
        if refusal is not None:
            self.telemetry.webhook_refused(source, refusal)
            log.warning("webhook refused", extra={"source": source, "reason": refusal.value})

    def keep(self, source: str, body: bytes, items: Sequence[RefusedItem]) -> dict[int, str]:
        """Make an outcome for each item, and return their ids by index.

        The same bytes of the same source have the same outcomes, so a sender that repeats a request adds nothing. Where
        storage cannot be reached there are no ids: the answer says what is wrong all the same.
        """
        if not items:
            return {}
        now = self.clock.now()
        digest = hashlib.sha256(body).hexdigest()
        scope = hashlib.sha256(f"refused webhook\n{source}\n{digest}".encode()).hexdigest()
        try:
            first = self.keys.reserve(scope, KeyReservation(new_update_id(now, self.randomness.bits()), digest))
            ids = {
                item.index: derived_update_id(accepted_at(first.update_id), f"{first.update_id}/{item.index}")
                for item in items
            }
            messages = [
                Unreadable(ids[item.index], item.faults, item.raw_message, item.raw_message_encoding) for item in items
            ]
            self.repository.insert_all([unreadable(message, now) for message in messages])
        except Unavailable as error:
            log.warning("refused items not kept", extra={"source": source, "reason": str(error)})
            return {}
        return ids
