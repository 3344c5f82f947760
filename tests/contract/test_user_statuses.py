"""What a store of user statuses promises, whoever keeps it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.basics.version import Version
from shared.core.delivery.user_status import Acceptance, Lease, Snapshot, UserStatusRow, Value
from shared.service.ports.storage import (
    Conflict,
)
from shared.wiring.adapters import Ports
from tests.builders import NOW, POLICY, an_id

KEY = "a" * 40
VERSION = Version(638_000_000_000_000_000, an_id())


def test_a_user_status_reads_back_with_its_acceptances(ports: Ports) -> None:
    """Row, lease and what is not settled yet."""
    acceptance = Acceptance(an_id(), VERSION, {"devicesCount": 1, "status": "compliant"})
    ports.user_statuses.register(KEY, acceptance)
    ports.user_statuses.register(KEY, Acceptance(an_id(), VERSION, {"devicesCount": 9}))
    row = UserStatusRow(
        POLICY, "u", {"status": Value("compliant", VERSION, an_id())}, Lease("me", NOW, NOW + timedelta(seconds=45))
    )

    etag = ports.user_statuses.commit(KEY, row, None)

    snapshot = ports.user_statuses.read(KEY)
    assert (snapshot.row, snapshot.etag, snapshot.accepted) == (row, etag, (acceptance,))
    assert snapshot.registered == {an_id()}


def test_a_commit_needs_the_etag_and_drops_what_is_settled(ports: Ports) -> None:
    """All or nothing; acceptances that are gone already do no harm."""
    store, row = ports.user_statuses, UserStatusRow(POLICY, "u")
    for n in range(3):
        store.register(KEY, Acceptance(an_id(n=n), VERSION, {"devicesCount": n}))
    etag = store.commit(KEY, row, None)

    with pytest.raises(Conflict):
        store.commit(KEY, row, None)
    with pytest.raises(Conflict):
        store.commit(KEY, row, "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"", settled=[an_id(n=0)])
    etag = store.commit(KEY, row, etag, settled=[an_id(n=0), an_id(n=7)])
    store.commit(KEY, row, etag, settled=[an_id(n=1)])
    store.withdraw(KEY, an_id(n=9))

    assert [acceptance.update_id for acceptance in store.read(KEY).accepted] == [an_id(n=2)]


@pytest.mark.parametrize("there", [False, True], ids=["a new row", "a row"])
def test_a_commit_adds_an_acceptance_or_changes_nothing(ports: Ports, *, there: bool) -> None:
    """With the row, whether that is new or not; one that is there already is a conflict."""
    store, row = ports.user_statuses, UserStatusRow(POLICY, "u")
    mine, other = (Acceptance(an_id(n=n), VERSION, {"devicesCount": n}) for n in (1, 2))
    etag = store.commit(KEY, row, None) if there else None

    etag = store.commit(KEY, row, etag, registered=[mine])
    with pytest.raises(Conflict):
        store.commit(KEY, replace(row, lease=Lease("me", NOW, NOW)), etag, registered=[other, mine])

    assert store.read(KEY) == Snapshot(row, etag, (mine,))
    store.commit(KEY, row, etag, registered=[other], settled=[mine.update_id])
    assert store.read(KEY).accepted == (other,)


def test_more_than_a_hundred_acceptances_are_settled_at_once(ports: Ports) -> None:
    """The limit of one transaction is nobody's concern."""
    ids = [an_id(n=n) for n in range(130)]
    with ThreadPoolExecutor(8) as threads:
        for update_id in ids:
            threads.submit(ports.user_statuses.register, KEY, Acceptance(update_id, VERSION, {"devicesCount": 1}))
    etag = ports.user_statuses.commit(KEY, UserStatusRow(POLICY, "u"), None)

    ports.user_statuses.commit(KEY, UserStatusRow(POLICY, "u"), etag, settled=ids)

    assert not ports.user_statuses.read(KEY).accepted


def test_many_acceptances_are_registered_at_once_each_with_its_user_status(ports: Ports) -> None:
    """Over a hundred in a partition, some there already; neighbours do not see each other."""
    keys_ = [f"a{n:039x}" for n in range(120)] + ["b" * 40]
    ports.user_statuses.register(keys_[3], Acceptance(an_id(), VERSION, {"devicesCount": 0}))
    wanted = [(key, Acceptance(an_id(), VERSION, {"devicesCount": n})) for n, key in enumerate(keys_)]

    ports.user_statuses.register_all(wanted)

    for n in (0, 1, 3, 119, 120):
        (accepted,) = ports.user_statuses.read(keys_[n]).accepted
        assert accepted.properties == {"devicesCount": 0 if n == 3 else n}


def test_a_user_status_can_be_read_in_part_its_row_first(ports: Ports) -> None:
    """A turn that finds the row leased needs no acceptance of thousands."""
    row = UserStatusRow(POLICY, "u", {}, Lease("me", NOW, NOW), frozenset({"status"}))
    ports.user_statuses.commit(KEY, row, None)
    ports.user_statuses.register_all([(KEY, Acceptance(an_id(n), VERSION, {"status": "error"})) for n in range(5)])

    part, whole = ports.user_statuses.read(KEY, 3), ports.user_statuses.read(KEY, 5)

    assert (part.row, len(part.accepted), part.whole) == (row, 3, False)
    assert (len(whole.accepted), whole.whole) == (5, True)
