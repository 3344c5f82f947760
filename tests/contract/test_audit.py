"""What the audit needs of its store, in memory and on Azurite."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.audit import Action, AuditRecord, Result
from shared.service.ports.audit import AuditFilter
from shared.service.ports.storage import InvalidContinuation, Purged
from shared.wiring.adapters import Ports
from tests.builders import NOW, POLICY, an_id

PERSON = "8d3f2c11-6a0d-4c58-9b7e-0d5b6d1c9a11"


def a_record(seconds: float = 0, **changes: object) -> AuditRecord:
    """A canceled update, that long after ``NOW``."""
    record = AuditRecord(an_id(seconds), Action.CANCEL, PERSON, an_id(-5))
    return replace(record, **changes)  # type: ignore[arg-type]


def test_a_record_reads_back_as_it_was_written(ports: Ports) -> None:
    """With and without a caller and a target."""
    whole, bare = a_record(), a_record(1, action=Action.ERASE, by=None, target=None)
    ports.audit.append(whole)
    ports.audit.append(bare)
    assert ports.audit.list(AuditFilter(), 10).found == (bare, whole)


def test_a_records_result_is_written_later(ports: Ports) -> None:
    """Until then it says started."""
    ports.audit.append(a_record())
    (found,) = ports.audit.list(AuditFilter(), 10).found
    assert found.result == Result.STARTED
    ports.audit.conclude(replace(found, result=Result.SUCCEEDED))
    (found,) = ports.audit.list(AuditFilter(), 10).found
    assert found == a_record(result=Result.SUCCEEDED)


def test_following_the_continuation_visits_every_record_once(ports: Ports) -> None:
    """Newest first, over hours, by action and time."""
    for n in range(7):
        ports.audit.append(a_record(n * 1000))
    ports.audit.append(a_record(500, action=Action.PROBE, target=POLICY))
    wanted = AuditFilter(Action.CANCEL, NOW + timedelta(seconds=1000), NOW + timedelta(seconds=6000))
    found, continuation, more = [], None, True
    while more:
        page = ports.audit.list(wanted, 2, continuation)
        found += page.found
        continuation, more = page.continuation, page.continuation is not None
    assert [record.id for record in found] == [an_id(n * 1000) for n in (5, 4, 3, 2, 1)]
    with pytest.raises(InvalidContinuation):
        ports.audit.list(wanted, 2, "x")


def test_a_record_of_a_newer_version_is_listed(ports: Ports) -> None:
    """Two versions of the app run side by side during an upgrade."""
    ports.audit.append(a_record(action="pause", result="half"))
    (found,) = ports.audit.list(AuditFilter(), 10).found
    assert (found.action, found.result) == ("pause", "half")


def test_old_records_are_purged_and_younger_ones_stay(ports: Ports) -> None:
    """By the time of the action's begin."""
    for n in range(4):
        ports.audit.append(a_record(n))
    before = NOW + timedelta(seconds=3)
    first = ports.audit.purge(before, 2)
    assert first.count == 2
    assert ports.audit.purge(before, 2, first.continuation) == Purged(1)
    assert [record.id for record in ports.audit.list(AuditFilter(), 10).found] == [an_id(3)]
