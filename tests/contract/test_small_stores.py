"""What the stores of idempotency keys, counts and the shared row promise, whoever keeps them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.core.basics.version import Version
from shared.core.delivery.statistics import hour_of
from shared.core.rate_limit import RateLimitState
from shared.core.rate_limit.lanes import Lanes
from shared.core.rate_limit.outage import Breaker
from shared.core.rate_limit.route import Route
from shared.service.ports.storage import Conflict, CounterRow, KeyReservation, Purged
from shared.wiring.adapters import Ports
from tests.builders import NOW, POLICY, an_id

KEY = "a" * 40
VERSION = Version(638_000_000_000_000_000, an_id())


def test_the_shared_row_is_swapped_by_one_at_a_time(ports: Ports) -> None:
    """Of two that read the same, one loses."""
    empty, no_etag = ports.rate_limit.read()
    assert (empty, no_etag) == (RateLimitState(), None)
    pacing = RateLimitState(
        stamps=(10, 200, 3_000),
        hold_until=5,
        everyone=Breaker(faults=("a", "b"), open_since=1, pause_until=6, probe=7),
        policies=((POLICY, Breaker(faults=("c",), probe_until=8)),),
        route=Route(missing=("d",), retry_at=9),
        lanes=Lanes(contested_until=7, normal=3),
        unknown={"Pacing": {"later": [1]}, "Outages": {"later": {"a": 3}}},
    )

    written = ports.rate_limit.write(pacing, None)

    assert written is None or abs(written - datetime.now(UTC)) < timedelta(minutes=5)
    with pytest.raises(Conflict):
        ports.rate_limit.write(RateLimitState(), None)
    read, etag = ports.rate_limit.read()
    assert read == pacing
    ports.rate_limit.write(RateLimitState(), etag)
    with pytest.raises(Conflict):
        ports.rate_limit.write(pacing, etag)


def test_of_many_reservations_of_one_key_the_first_holds(ports: Ports) -> None:
    """Two at the same moment make one update."""
    wanted = [KeyReservation(an_id(n=n), str(n)) for n in range(12)]
    with ThreadPoolExecutor(6) as threads:
        held = list(threads.map(lambda reservation: ports.idempotency_keys.reserve("s" * 64, reservation), wanted))

    assert len(set(held)) == 1
    assert held[0] in wanted


def test_old_keys_are_purged(ports: Ports) -> None:
    """And may be used again."""
    for n in range(3):
        ports.idempotency_keys.reserve(f"{n}" * 64, KeyReservation(an_id(seconds=n * 3600), "f"))

    first = ports.idempotency_keys.purge(NOW + timedelta(hours=2), 1)
    assert (first.count, ports.idempotency_keys.purge(NOW + timedelta(hours=2), 9, first.continuation)) == (
        1,
        Purged(1),
    )
    assert ports.idempotency_keys.purge(NOW + timedelta(hours=2), 10) == Purged(0)
    assert ports.idempotency_keys.reserve("0" * 64, KeyReservation(an_id(9), "g")).fingerprint == "g"


def test_counts_are_kept_by_hour_and_instance(ports: Ports) -> None:
    """A row is replaced whole; earlier hours are left out, and purged."""
    hour = hour_of(NOW)
    ports.counters.touch()
    ports.counters.write(hour, "a", {1: {"succeeded": 2}})
    ports.counters.write(hour, "a", {1: {"succeeded": 3}, 59: {"error:x": 1}})
    ports.counters.write(hour, "b", {2: {"writes": 1}})
    ports.counters.write(hour - timedelta(hours=30), "a", {0: {"writes": 9}})

    rows = ports.counters.read(hour - timedelta(hours=1))

    assert sorted(rows, key=lambda row: row.instance) == [
        CounterRow(hour, "a", {1: {"succeeded": 3}, 59: {"error:x": 1}}),
        CounterRow(hour, "b", {2: {"writes": 1}}),
    ]
    assert ports.counters.purge(hour, 10) == Purged(1)
    assert ports.counters.purge(hour, 10) == Purged(0)
    assert len(ports.counters.read(hour - timedelta(days=9))) == 2
