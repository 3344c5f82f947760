"""Idempotency keys: the first update of a key, scoped by its source, is the update of all that repeat it."""

import hashlib
from collections.abc import Iterable
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
    scope = scope_of(envelope.update)
    return envelope if scope is None else _under(keys.reserve(scope, _reservation(envelope)), envelope)


def reserve_all(keys: IdempotencyStore, envelopes: Iterable[Envelope]) -> list[Envelope | KeyConflict]:
    """Return the same for each, in order; of one key's repetitions the first is first."""
    keyed = [(scope_of(envelope.update), envelope) for envelope in envelopes]
    wanted: dict[str, KeyReservation] = {}
    for scope, envelope in keyed:
        if scope is not None:
            wanted.setdefault(scope, _reservation(envelope))
    held = keys.reserve_all(wanted) if wanted else {}
    return [envelope if scope is None else _under(held[scope], envelope) for scope, envelope in keyed]


def _reservation(envelope: Envelope) -> KeyReservation:
    return KeyReservation(envelope.id, envelope.update.fingerprint())


def _under(holder: KeyReservation, envelope: Envelope) -> Envelope | KeyConflict:
    """Return the envelope under the id of the update that holds its key."""
    if holder.fingerprint != envelope.update.fingerprint():
        return KeyConflict(holder.update_id)
    return replace(envelope, id=holder.update_id)


def scope_of(update: Update) -> str | None:
    """Return the hash of the key and its source; None for an update without a key."""
    if update.idempotency_key is None:
        return None
    return hashlib.sha256(f"{update.source or ''}\n{update.idempotency_key}".encode()).hexdigest()
