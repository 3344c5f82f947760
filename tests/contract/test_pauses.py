"""What pauses and the brake need of their stores, in memory and on Azurite."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.pause import NO_WRITES, BrakeCount, Kind, Pause, Phase, Scope
from shared.service.ports.storage import Conflict
from shared.wiring.adapters import Ports
from tests.builders import NOW, POLICY, an_id

A_PAUSE = Pause(an_id(0), Kind.OPERATOR, "Intune's maintenance", Scope(), None, None, NOW)


def test_a_pause_reads_back_as_it_was_written(ports: Ports) -> None:
    """Bare, and with all its members; oldest first."""
    whole = replace(
        A_PAUSE,
        id=an_id(60),
        kind=Kind.BRAKE,
        scope=Scope(POLICY.upper(), "hr", "nonCompliant"),
        created_by=an_id(1),
        ends=NOW + timedelta(hours=1),
    )
    assert ports.pauses.insert(whole)
    assert ports.pauses.insert(A_PAUSE)
    assert [stored.pause for stored in ports.pauses.list()] == [A_PAUSE, whole]
    found = ports.pauses.get(whole.id)
    assert found is not None
    assert found.pause == whole
    assert ports.pauses.get(an_id(2)) is None


def test_a_pause_is_inserted_once_and_replaced_by_compare_and_swap(ports: Ports) -> None:
    """Whoever comes second learns of it."""
    ports.pauses.insert(A_PAUSE)
    assert not ports.pauses.insert(replace(A_PAUSE, reason="another"))
    found = ports.pauses.get(A_PAUSE.id)
    assert found is not None
    ended = replace(found.pause, phase=Phase.ENDED)
    ports.pauses.replace(ended, found.etag)
    with pytest.raises(Conflict):
        ports.pauses.replace(ended, found.etag)
    (stored,) = ports.pauses.list()
    assert stored.pause == ended
    ports.pauses.delete(A_PAUSE.id)
    ports.pauses.delete(A_PAUSE.id)
    assert list(ports.pauses.list()) == []


def test_held_updates_come_back_in_the_order_of_acceptance(ports: Ports) -> None:
    """Each once, and those of another pause not at all."""
    for seconds in (30, 10, 20, 10):
        ports.pauses.hold(A_PAUSE.id, an_id(seconds))
    ports.pauses.hold(an_id(99), an_id(5))
    assert list(ports.pauses.held(A_PAUSE.id, 2)) == [an_id(10), an_id(20)]
    assert ports.pauses.held_count(A_PAUSE.id) == 3
    ports.pauses.release(A_PAUSE.id, an_id(10))
    ports.pauses.release(A_PAUSE.id, an_id(10))
    assert list(ports.pauses.held(A_PAUSE.id, 5)) == [an_id(20), an_id(30)]


def test_the_brakes_count_is_replaced_by_compare_and_swap(ports: Ports) -> None:
    """Two instances count exactly."""
    assert ports.brake.read("error") == (NO_WRITES, None)
    count = BrakeCount({f"{n:012}": n for n in range(3000)})
    ports.brake.write("error", count, None)
    with pytest.raises(Conflict):
        ports.brake.write("error", count, None)
    found, etag = ports.brake.read("error")
    assert found == count
    ports.brake.write("error", BrakeCount({}, A_PAUSE.id), etag)
    with pytest.raises(Conflict):
        ports.brake.write("error", count, etag)
    assert ports.brake.read("error")[0] == BrakeCount({}, A_PAUSE.id)
    assert ports.brake.read("unknown") == (NO_WRITES, None)
