"""What erasing needs of the stores, whoever keeps them; and that nothing of a person stays in what Azurite holds."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from shared.core.basics.version import Version
from shared.core.delivery.outcome import Attempt, Tombstone, Transition, advance, queued, record
from shared.core.delivery.user_status import Acceptance, UserStatusRow, Value
from shared.core.erasure.erasure import Erasure, ErasureState, Progress, Stage, ended, requested
from shared.core.erasure.subject import Subject
from shared.service.ports.storage import Conflict, InvalidContinuation, OutcomeFilter, Purged
from shared.settings import Settings
from shared.wiring.adapters import Ports
from shared.wiring.services import Services
from tests.builders import NOW, POLICY, an_envelope, an_id
from tests.contract.conftest import Azurite, connect
from tests.service.lives import NAME, erase, in_api, lived, status
from tests.world import World

VERSION = Version(638_000_000_000_000_000, an_id())


def an_erasure(n: int = 0, **changes: Any) -> Erasure:
    """One that was just asked for."""
    return replace(requested(an_id(seconds=n), Subject(name=NAME), NOW), **changes)


def test_an_erasure_reads_back_whole(ports: Ports) -> None:
    """However much it has to remember."""
    progress = Progress(
        Stage.FOLLOW, 3, "continued", ("k" * 40,) * 1000, ("p",), ("f" * 36,) * 500, ("r",), changed=True, skipped=True
    )
    erasure = an_erasure(progress=progress, updates_erased=7, user_statuses_erased=2, state=ErasureState.RUNNING)

    etag = ports.erasures.insert(erasure)

    stored = ports.erasures.get(erasure.id)
    assert stored is not None
    assert (stored.erasure, stored.etag) == (erasure, etag)
    assert ports.erasures.get(an_id(99)) is None
    with pytest.raises(Conflict):
        ports.erasures.insert(erasure)


def test_an_erasures_row_is_changed_by_one_at_a_time(ports: Ports) -> None:
    """And holds nothing of what it held before."""
    first = ports.erasures.insert(an_erasure())
    second = ports.erasures.replace(ended(an_erasure(), ErasureState.SUCCEEDED, NOW), first)
    with pytest.raises(Conflict):
        ports.erasures.replace(an_erasure(), first)
    stored = ports.erasures.get(an_erasure().id)
    assert stored is not None
    assert stored.etag == second
    assert stored.erasure.subject is None
    with pytest.raises(Conflict):
        ports.erasures.replace(an_erasure(5), second)


def test_open_erasures_come_oldest_first_and_ended_ones_are_purged(ports: Ports) -> None:
    """By the time of their end."""
    for n in (3, 1, 2):
        ports.erasures.insert(an_erasure(n))
    old = ended(an_erasure(4), ErasureState.SUCCEEDED, NOW - timedelta(hours=1))
    ports.erasures.insert(old)
    ports.erasures.insert(ended(an_erasure(5), ErasureState.FAILED, NOW + timedelta(microseconds=1)))

    assert [stored.erasure.id for stored in ports.erasures.open(10)] == [an_id(1), an_id(2), an_id(3)]
    assert len(ports.erasures.open(2)) == 2
    assert ports.erasures.purge(NOW, 10) == Purged(1)
    assert ports.erasures.get(old.id) is None
    (first, *_) = ports.erasures.open(1)
    ports.erasures.replace(ended(first.erasure, ErasureState.SUCCEEDED, NOW), first.etag)
    assert len(ports.erasures.open(10)) == 2


def test_an_erased_outcome_reads_back_and_is_found_by_its_ids(ports: Ports) -> None:
    """Without a message, with what is left of it; an unreadable one with nothing left."""
    outcome = advance(queued(an_envelope(), NOW), Transition.CANCEL, NOW)
    left = Tombstone(POLICY, "u", "hr", None)
    ports.outcomes.insert(replace(outcome, update=None, erased=left))
    ports.outcomes.insert(replace(outcome, id=an_id(5), update=None, erased=Tombstone()))

    for id_, remains in ((outcome.id, left), (an_id(5), Tombstone())):
        stored = ports.outcomes.get(id_)
        assert stored is not None
        assert (stored.outcome.update, stored.outcome.erased) == (None, remains)
    wanted = OutcomeFilter(
        device_compliance_policy_id=POLICY.upper(), device_compliance_user_status_id="u", source="hr"
    )
    assert [update.id for update in ports.outcomes.list(wanted, 10).outcomes] == [outcome.id]


def test_a_scan_shows_outcomes_whole_with_etags_that_guard(ports: Ports) -> None:
    """Each once, with what lists leave out."""
    attempt = Attempt(NOW, 12, 503, "x", "r", "c", 1.5)
    whole = [
        replace(record(queued(an_envelope(seconds=n, n=n), NOW), (attempt,)), result={"n": n}, raw_message="raw")
        for n in range(7)
    ]
    for update in whole:
        ports.outcomes.insert(update)
    found, continuation, more = [], None, True
    while more:
        page = ports.outcomes.scan(OutcomeFilter(created_before=NOW + timedelta(seconds=6)), 3, continuation)
        found += page.found
        continuation = page.continuation
        more = continuation is not None
    assert [stored.outcome for stored in found] == whole[5::-1]
    ports.outcomes.replace(replace(whole[0], attempt=2), found[-1].etag)
    with pytest.raises(Conflict):
        ports.outcomes.replace(replace(whole[0], attempt=3), found[-1].etag)
    with pytest.raises(InvalidContinuation):
        ports.outcomes.scan(OutcomeFilter(), 3, "x")


def test_a_scan_shows_every_row_about_user_statuses_once(ports: Ports) -> None:
    """Rows and acceptances; erased values are none."""
    store = ports.user_statuses
    keys = [f"{n:x}" * 40 for n in range(5)]
    for n, key in enumerate(keys):
        values = {"devicesCount": Value(n, VERSION, an_id()), "userPrincipalName": Value(None, VERSION, an_id())}
        store.commit(key, UserStatusRow(POLICY, f"u{n}", values), None)
        store.register(key, Acceptance(an_id(), VERSION, {"status": "compliant"}))
    found, continuation, more = [], None, True
    while more:
        page = store.scan(3, continuation)
        found += page.found
        continuation = page.continuation
        more = continuation is not None
    rows = {(status.key, status.user_status_id): dict(status.properties) for status in found}
    assert len(found) == len(rows) == 10
    for n, key in enumerate(keys):
        assert rows[key, f"u{n}"] == {"devicesCount": n}
        assert rows[key, None] == {"status": "compliant"}
        row = store.read(key).row
        assert row is not None
        assert row.confirmed["userPrincipalName"].value is None
    with pytest.raises(InvalidContinuation):
        store.scan(3, "x")


@pytest.mark.azurite
def test_no_table_names_an_erased_person(storage: Azurite) -> None:
    """Every property of every entity of every table, as Azurite has it; order holds on."""
    world, prefix = World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"})), "erased"
    settings = Settings.from_environ(
        {"UPDATES_STORAGE": storage.connection_string, "UPDATES_TABLE_PREFIX": prefix, "UPDATES_QUEUE": prefix}
    )
    real = connect(settings)
    for name in ("outcomes", "user_statuses", "erasures", "idempotency_keys"):
        setattr(world, name, getattr(real, name))
    world.relay = Services(settings, **world.ports())
    lived(world)
    assert NAME.lower() in entities(storage, prefix)

    shown = erase(world)

    assert (shown["status"], shown["updatesErased"], shown["userStatusesErased"]) == ("succeeded", 12, 1)
    assert NAME.lower() not in entities(storage, prefix)
    assert "lovelace" not in entities(storage, prefix)
    late = world.accept(deviceComplianceUserStatusId="ada-1", userStatus=status(NAME, 2))
    world.run()
    assert world.resource(late)["statusDetail"] == "superseded"
    assert in_api(world)["properties"]["devicesCount"]["confirmed"]["value"] is None


def entities(storage: Azurite, prefix: str) -> str:
    """All that the tables hold, as text."""
    with TableServiceClient.from_connection_string(storage.connection_string) as service:
        rows = [
            dict(entity)
            for table in service.list_tables()
            if table.name.startswith(prefix)
            for entity in service.get_table_client(table.name).list_entities()
        ]
    return json.dumps(rows, default=str).lower()
