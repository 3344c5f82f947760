"""The merge of values: laws that hold for any order, repetition and loss."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.basics.version import Version
from shared.core.delivery.user_status import (
    ABANDONED_AFTER,
    MAX_LEASE,
    NOTHING,
    Acceptance,
    Lease,
    UserStatusRow,
    Value,
    Values,
    confirm,
    graph_properties,
    is_newer,
    lease_retry_time,
    lost_values,
    newest,
    pending_values,
    superseding_update,
    update_ids,
)
from tests.builders import NOW, POLICY, USER, an_envelope, an_id

NAMES = ("status", "devicesCount", "userDisplayName")


def version(instant: int, n: int) -> Version:
    """A value's version: ties go by the update's id."""
    return Version(instant, an_id(n=n))


def acceptance(instant: int, n: int, *names: str) -> Acceptance:
    """An update's values, each of them its number."""
    return Acceptance(an_id(n=n), version(instant, n), dict.fromkeys(names, n))


versions = st.builds(version, st.integers(0, 5), st.integers(0, 5))
several_values = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(lambda version, n: Value(version.instant, version, an_id(n=n)), versions, st.integers(0, 9)),
    max_size=3,
)
acceptances = st.lists(
    st.builds(
        lambda instant, n, names: acceptance(instant, n, *names),
        st.integers(0, 5),
        st.integers(0, 9),
        st.sets(st.sampled_from(NAMES), min_size=1),
    ),
    max_size=6,
    unique_by=lambda accepted: accepted.update_id,
)
uncertain = st.frozensets(st.sampled_from(NAMES))
rows = st.builds(lambda values, names: UserStatusRow("p", "u", values, None, names), several_values, uncertain)


@given(several_values, several_values, several_values)
def test_merging_is_associative_commutative_and_idempotent(first: Values, second: Values, third: Values) -> None:
    """So the order in which updates arrive decides nothing."""
    assert newest(newest(first, second), third) == newest(first, newest(second, third))
    assert newest(first, second) == newest(second, first)
    assert newest(first, first) == newest(first) == first


@given(rows, acceptances)
def test_what_was_written_is_not_pending_any_more(row: UserStatusRow, accepted: list[Acceptance]) -> None:
    """One write settles everything that was accepted, and leaves nothing uncertain that could be sent."""
    after = confirm(row, pending_values(row, accepted))

    assert pending_values(after, accepted) == {}
    assert not any(is_newer(after, acceptance) for acceptance in accepted)


@given(rows, acceptances)
def test_nothing_older_than_what_stands_is_ever_sent(row: UserStatusRow, accepted: list[Acceptance]) -> None:
    """A pending value is newer than the confirmed one, or is that very value."""
    for name, value in pending_values(row, accepted).items():
        standing = row.confirmed.get(name)
        assert standing is None or value.version > standing.version or value == standing


@given(rows, acceptances, st.randoms())
def test_any_order_and_repetition_ends_in_the_same_row(
    row: UserStatusRow, accepted: list[Acceptance], shuffle: random.Random
) -> None:
    """Written one by one, twice, or all at once."""
    at_once = confirm(row, pending_values(row, accepted))
    one_by_one, order = row, accepted * 2
    shuffle.shuffle(order)
    for acceptance in order:
        one_by_one = confirm(one_by_one, pending_values(one_by_one, (acceptance,)))

    versions_of = lambda it: {name: value.version for name, value in it.confirmed.items()}
    assert versions_of(one_by_one) == versions_of(at_once)


@given(rows)
def test_an_uncertain_property_without_newer_values_is_sent_again(row: UserStatusRow) -> None:
    """The confirmed value: a write that was withdrawn may have replaced it."""
    assert lost_values(row) == {name: row.confirmed[name] for name in row.uncertain & row.confirmed.keys()}
    assert pending_values(row, ()) == lost_values(row)
    assert not confirm(row, lost_values(row)).uncertain & row.confirmed.keys()


def test_a_newer_value_is_sent_instead_of_a_lost_one() -> None:
    """And ends the uncertainty of its own properties only."""
    row = confirm(UserStatusRow("p", "u"), acceptance(1, 1, "status", "devicesCount").values())
    row = UserStatusRow("p", "u", row.confirmed, None, frozenset({"status", "devicesCount"}))

    pending = pending_values(row, [acceptance(2, 2, "status")])

    assert graph_properties(pending) == {"status": 2, "devicesCount": 1}
    assert confirm(row, acceptance(2, 2, "status").values()).uncertain == {"devicesCount"}


def test_an_older_acceptance_does_not_replace_a_lost_value() -> None:
    """What was confirmed is newer, so it is the newest value that remains."""
    confirmed = acceptance(3, 3, "status").values()
    row = UserStatusRow("p", "u", confirmed, None, frozenset({"status"}))

    assert pending_values(row, [acceptance(2, 2, "status")]) == confirmed


def test_an_erased_value_is_never_sent_again() -> None:
    """Its version still keeps older values out."""
    row = UserStatusRow("p", "u", {"status": Value(None, version(3, 3), an_id(n=3))}, None, frozenset({"status"}))

    assert pending_values(row, [acceptance(2, 2, "status")]) == {}
    assert graph_properties(row.confirmed) == {}


def test_a_settled_update_is_superseded_unless_a_value_of_it_stands() -> None:
    """By the newest of those whose values stand in its place."""
    older, newer = acceptance(1, 1, "status", "devicesCount"), acceptance(2, 2, "status")
    both = newest(older.values(), newer.values())

    assert superseding_update(UserStatusRow("p", "u", both), older) is None
    all_newer = newest(both, acceptance(3, 3, "devicesCount").values())
    assert superseding_update(UserStatusRow("p", "u", all_newer), older) == an_id(n=3)
    assert superseding_update(UserStatusRow("p", "u", NOTHING), older) is None
    assert update_ids(both) == {an_id(n=1), an_id(n=2)}


def test_a_lease_counts_until_its_end_and_no_longer_than_any_can_last() -> None:
    """One with more time left comes from a clock that was wrong."""

    def leased(seconds: float) -> bool:
        lease = Lease("t", NOW, NOW + timedelta(seconds=seconds))
        return UserStatusRow("p", "u", lease=lease).leased_at(NOW) is not None

    assert [leased(0), leased(1), leased(MAX_LEASE.total_seconds())] == [False, True, True]
    assert not leased(MAX_LEASE.total_seconds() + 1)
    assert UserStatusRow("p", "u").leased_at(NOW) is None


@given(st.floats(0, 600), st.floats(1, 600), st.floats(0, 1))
def test_a_leased_user_status_is_asked_for_again_before_its_lease_ends(
    lasted: float, left: float, jitter: float
) -> None:
    """The longer it lasts, the later."""
    lease = Lease("t", NOW - timedelta(seconds=lasted), NOW + timedelta(seconds=left))

    when = lease_retry_time(lease, NOW, jitter)

    assert NOW < when <= lease.until


def test_an_acceptance_is_abandoned_a_day_after_its_update_was_accepted() -> None:
    """No acceptance takes that long to make its outcome."""
    accepted = acceptance(1, 1, "status")

    assert not accepted.abandoned_at(NOW + ABANDONED_AFTER - timedelta(seconds=1))
    assert accepted.abandoned_at(NOW + ABANDONED_AFTER)


@pytest.mark.parametrize(
    ("lasted", "jitter", "seconds"),
    [(-5, 0, 0.5), (0, 0, 0.5), (0, 1, 1), (1.5, 0, 0.75), (8, 0, 4), (8, 0.5, 6), (8, 1, 8), (300, 1, 60)],
)
def test_a_leased_user_status_is_asked_for_the_later_the_longer_its_turn_has_lasted(
    lasted: float, jitter: float, seconds: float
) -> None:
    """Between half and all of the time since then, which counts as a second at least; never after the lease's end."""
    lease = Lease("a turn", NOW - timedelta(seconds=lasted), NOW + timedelta(seconds=60))
    assert lease_retry_time(lease, NOW, jitter) == NOW + timedelta(seconds=seconds)


def test_a_message_brings_its_properties_to_its_own_row() -> None:
    """Under its id, in its version."""
    envelope = an_envelope(userStatus={"status": "compliant", "devicesCount": 2})
    assert Acceptance.of(envelope) == Acceptance(
        envelope.id, envelope.ordering, {"status": "compliant", "devicesCount": 2}
    )
    assert UserStatusRow.of(envelope) == UserStatusRow(POLICY, USER)
