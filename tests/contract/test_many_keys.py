"""Many idempotency keys at once, and beside those of the version before."""

from datetime import timedelta

import pytest

from shared.service.ports.storage import KeyReservation, Purged
from shared.wiring.adapters import Ports
from tests.builders import NOW, an_id
from tests.contract.rows import Rows

SCOPES = [f"{n:064x}"[::-1] for n in range(300)]
DAY = 86_400


def reservations(fingerprint: str, seconds: float = 0) -> dict[str, KeyReservation]:
    """A reservation of each scope."""
    return {scope: KeyReservation(an_id(seconds, n), fingerprint) for n, scope in enumerate(SCOPES)}


def old_key(rows: Rows, scope: str, seconds: float = 0) -> KeyReservation:
    """A key as the version before kept it."""
    kept = KeyReservation(an_id(seconds, 7), "old")
    accepted = NOW + timedelta(seconds=seconds)
    row = {"PartitionKey": scope, "RowKey": "key", "UpdateId": kept.update_id, "Fingerprint": "old"}
    rows.write("idempotency_keys", row | {"Accepted": accepted})
    return kept


def test_many_keys_are_reserved_at_once_and_those_that_are_there_stay(ports: Ports) -> None:
    """Each as if it came alone."""
    first = ports.idempotency_keys.reserve(SCOPES[5], KeyReservation(an_id(9), "first"))
    held = ports.idempotency_keys.reserve_all(reservations("many"))
    assert held == reservations("many") | {SCOPES[5]: first}
    assert ports.idempotency_keys.reserve_all(reservations("again", 1)) == held
    assert ports.idempotency_keys.reserve(SCOPES[7], KeyReservation(an_id(9), "x")) == held[SCOPES[7]]
    assert ports.idempotency_keys.purge(NOW + timedelta(hours=1), 1000) == Purged(300)


@pytest.mark.azurite
def test_keys_of_the_version_before_are_found_until_they_expire(azurite_ports: Ports) -> None:
    """Alone, and among many; new ones are kept beside them."""
    rows, keys = Rows(azurite_ports), azurite_ports.idempotency_keys
    old = {scope: old_key(rows, scope) for scope in SCOPES[:2]}
    assert keys.reserve(SCOPES[0], KeyReservation(an_id(1), "new")) == old[SCOPES[0]]
    held = keys.reserve_all(dict(list(reservations("new", 1).items())[:20]))
    assert [scope for scope, kept in held.items() if kept.fingerprint == "old"] == SCOPES[:2]
    assert keys.reserve(SCOPES[9], KeyReservation(an_id(2), "x")) == held[SCOPES[9]]


@pytest.mark.azurite
def test_once_they_have_expired_nobody_looks_for_them(azurite_ports: Ports) -> None:
    """A purge that found none left, a day after this version first came, says so."""
    rows, keys = Rows(azurite_ports), azurite_ports.idempotency_keys
    old_key(rows, SCOPES[0])
    keys.reserve(SCOPES[1], KeyReservation(an_id(1), "new"))
    keys.purge(NOW + timedelta(hours=1), 9)
    assert rows.read("idempotency_keys", "layout", "layout")["Mixed"]
    keys.purge(NOW + timedelta(seconds=DAY + 10), 9)
    assert not rows.read("idempotency_keys", "layout", "layout")["Mixed"]
