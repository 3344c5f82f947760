"""Idempotency keys: the first update of a key, scoped by its source, is the update of all that repeat it."""

import hashlib
from dataclasses import dataclass, replace

from shared.core.intake.envelope import Envelope
from shared.core.intake.update import Update
from shared.service.ports.storage import IdempotencyStore, KeyReservation


@dataclass(frozen=True)
class KeyConflict:
    """The idempotency key belongs to another payload, that of this update."""

    update_id: str


def reserve(keys: IdempotencyStore, envelope: Envelope) -> Envelope | KeyConflict:
    """Return the envelope under the id that its idempotency key belongs to."""
    update, scope = envelope.update, scope_of(envelope.update)
    if scope is None:
        return envelope
    holder = keys.reserve(scope, KeyReservation(envelope.id, update.fingerprint()))
    if holder.fingerprint != update.fingerprint():
        return KeyConflict(holder.update_id)
    return replace(envelope, id=holder.update_id)


def scope_of(update: Update) -> str | None:
    """Return the hash of the key and its source; None for an update without a key."""
    if update.idempotency_key is None:
        return None
    return hashlib.sha256(f"{update.source or ''}\n{update.idempotency_key}".encode()).hexdigest()
