"""What every store promises, whoever keeps it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.basics.strict_json import Fault
from shared.core.basics.version import Version
from shared.core.delivery.outcome import Attempt, State, Transition, advance, queued, record, resolved_to, unreadable
from shared.core.delivery.statistics import hour_of
from shared.core.delivery.user_status import Acceptance, Lease, Snapshot, UserStatusRow, Value
from shared.core.intake.envelope import Unreadable
from shared.core.rate_limit import RateLimitState
from shared.service.ports.storage import (
    Conflict,
    CounterRow,
    InvalidContinuation,
    KeyReservation,
    OutcomeFilter,
    StoredOutcome,
)
from shared.wiring.adapters import Ports
from tests.builders import NOW, POLICY, an_envelope, an_id, an_update

KEY = "a" * 40
VERSION = Version(638_000_000_000_000_000, an_id())


def test_a_message_keeps_its_text_and_counts_in_the_head(outside: Ports) -> None:
    """Length counts hidden messages too; the head is the first visible one."""
    assert outside.queue.head().length == 0
    outside.queue.put('{"a": "é\u2028"}')
    outside.queue.put("{}", timedelta(hours=1))

    head = outside.queue.head()

    assert head.length == 2
    assert head.inserted is not None


def test_an_outcome_reads_back_whole(outside: Ports) -> None:
    """Every member survives, the newest attempts too."""
    attempt = Attempt(NOW, 12, 503, "x", "r", "c", 1.5)
    envelope = an_envelope(userStatus={"devicesCount": 3, "userDisplayName": "Zoë \U0001f600"}, source="hr")
    outcome = record(queued(envelope, NOW), (attempt,) * 25)
    outcome = advance(outcome, Transition.WAIT, NOW, error={"code": "x", "message": "y"}, next_attempt=NOW)
    outcome = replace(outcome, version=VERSION, result={"a": [1]}, submitted_by="me", replay_of=an_id(1))
    outcome = replace(outcome, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")

    assert outside.outcomes.insert(outcome)

    stored = outside.outcomes.get(outcome.id)
    assert stored is not None
    assert stored.outcome == outcome
    assert stored.outcome.attempt_count == 25
    assert len(stored.outcome.attempts) == 20


def test_an_outcome_keeps_what_its_principal_name_was_resolved_to(outside: Ports) -> None:
    """Beside the message as accepted; lists and filters know it, too."""
    envelope = an_envelope(deviceComplianceUserStatusId=None, userPrincipalName="a@x.example")
    outside.outcomes.insert(queued(envelope, NOW))
    stored = outside.outcomes.get(envelope.id)
    assert stored is not None
    outside.outcomes.replace(resolved_to(stored.outcome, "found"), stored.etag)

    (listed,) = outside.outcomes.list(OutcomeFilter(device_compliance_user_status_id="found"), 10).outcomes

    again = outside.outcomes.get(envelope.id)
    assert again is not None
    for update in (again.outcome.update, listed.update):
        assert update is not None
        assert (update.user_principal_name, update.device_compliance_user_status_id) == ("a@x.example", "found")
        assert update.message == envelope.update.message


def test_a_large_raw_message_survives(outside: Ports) -> None:
    """64 KiB of anything fits."""
    outcome = unreadable(Unreadable(an_id(), (Fault("", "no"),), "é" * 65_536, None), NOW)

    outside.outcomes.insert(outcome)

    stored = outside.outcomes.get(outcome.id)
    assert stored is not None
    assert stored.outcome == outcome


def test_only_the_first_insert_counts(outside: Ports) -> None:
    """Whoever is slower learns it."""
    outcome = queued(an_envelope(), NOW)

    assert outside.outcomes.insert(outcome)
    assert not outside.outcomes.insert(replace(outcome, attempt=9))

    stored = outside.outcomes.get(outcome.id)
    assert stored is not None
    assert stored.outcome.attempt == 1
    assert outside.outcomes.get(an_id(5)) is None


def test_a_replacement_needs_the_etag_that_was_read(outside: Ports) -> None:
    """Two writers never both win."""
    outcome = queued(an_envelope(), NOW)
    outside.outcomes.insert(outcome)
    stored = outside.outcomes.get(outcome.id)
    assert stored is not None
    outside.outcomes.replace(replace(outcome, attempt=2), stored.etag)

    with pytest.raises(Conflict):
        outside.outcomes.replace(replace(outcome, attempt=3), stored.etag)


def test_the_list_is_newest_first_and_pages_visit_each_once(outside: Ports) -> None:
    """Across hours, with new ones coming in between."""
    for n in range(7):
        outside.outcomes.insert(queued(an_envelope(seconds=n * 1800, n=n), NOW))
    first = outside.outcomes.list(OutcomeFilter(), 3)
    outside.outcomes.insert(queued(an_envelope(seconds=99_999), NOW))

    seen = [one.id for one in first.outcomes]
    continuation = first.continuation
    while continuation is not None:
        page = outside.outcomes.list(OutcomeFilter(), 3, continuation)
        seen += [one.id for one in page.outcomes]
        continuation = page.continuation

    assert seen == [an_id(n * 1800, n) for n in reversed(range(7))]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (OutcomeFilter(states=(State.FAILED,)), [3]),
        (OutcomeFilter(states=(State.QUEUED, State.FAILED)), [3, 2, 1, 0]),
        (OutcomeFilter(states=()), []),
        (OutcomeFilter(source="it's"), []),
        (OutcomeFilter(source="hr"), [1]),
        (OutcomeFilter(device_compliance_policy_id=POLICY.upper()), [3, 2, 1, 0]),
        (OutcomeFilter(device_compliance_user_status_id="o-2"), [2]),
        (OutcomeFilter(idempotency_key="k' or 1 eq 1"), [2]),
        (OutcomeFilter(created_after=NOW + timedelta(hours=1)), [3, 2, 1]),
        (OutcomeFilter(created_before=NOW + timedelta(hours=1)), [0]),
        (OutcomeFilter(created_after=NOW + timedelta(hours=1), created_before=NOW + timedelta(hours=2)), [1]),
    ],
)
def test_filters_name_just_what_they_say(outside: Ports, wanted: OutcomeFilter, found: list[int]) -> None:
    """Values of callers are values, never part of a query."""
    changes = [{}, {"source": "hr"}, {"deviceComplianceUserStatusId": "o-2", "idempotencyKey": "k' or 1 eq 1"}, {}]
    for n, change in enumerate(changes):
        outcome = queued(an_envelope(seconds=n * 3600, n=n, **change), NOW)
        outside.outcomes.insert(advance(outcome, Transition.FAIL, NOW) if n == 3 else outcome)

    page = outside.outcomes.list(wanted, 10)

    assert [one.id for one in page.outcomes] == [an_id(n * 3600, n) for n in found]


@pytest.mark.parametrize("garbage", ["x", "e30=", "bnVsbA==", "%%%", "WzFd"])
def test_a_continuation_that_no_list_gave_is_refused(outside: Ports, garbage: str) -> None:
    """It is the caller's fault, and named so."""
    with pytest.raises(InvalidContinuation):
        outside.outcomes.list(OutcomeFilter(), 3, garbage)


def test_purging_takes_the_old_ones_up_to_a_limit(outside: Ports) -> None:
    """In slices, and nothing that is younger, or not final yet."""
    for n in range(6):
        outside.outcomes.insert(advance(queued(an_envelope(seconds=n * 3600, n=n), NOW), Transition.CANCEL, NOW))
    outside.outcomes.insert(queued(an_envelope(n=9), NOW))

    assert outside.outcomes.purge(NOW + timedelta(hours=4), 3) == 3
    assert outside.outcomes.purge(NOW + timedelta(hours=4), 3) == 1
    assert outside.outcomes.purge(NOW + timedelta(hours=4), 3) == 0
    assert len(outside.outcomes.list(OutcomeFilter(), 10).outcomes) == 3


def test_a_user_status_reads_back_with_its_acceptances(outside: Ports) -> None:
    """Row, lease and what is not settled yet."""
    acceptance = Acceptance(an_id(), VERSION, {"devicesCount": 1, "status": "compliant"})
    outside.user_statuses.register(KEY, acceptance)
    outside.user_statuses.register(KEY, Acceptance(an_id(), VERSION, {"devicesCount": 9}))
    row = UserStatusRow(
        POLICY, "u", {"status": Value("compliant", VERSION, an_id())}, Lease("me", NOW, NOW + timedelta(seconds=45))
    )

    etag = outside.user_statuses.commit(KEY, row, None)

    snapshot = outside.user_statuses.read(KEY)
    assert (snapshot.row, snapshot.etag, snapshot.accepted) == (row, etag, (acceptance,))
    assert snapshot.registered == {an_id()}


def test_a_commit_needs_the_etag_and_drops_what_is_settled(outside: Ports) -> None:
    """All or nothing; acceptances that are gone already do no harm."""
    store, row = outside.user_statuses, UserStatusRow(POLICY, "u")
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

    assert [one.update_id for one in store.read(KEY).accepted] == [an_id(n=2)]


@pytest.mark.parametrize("there", [False, True], ids=["a new row", "a row"])
def test_a_commit_adds_an_acceptance_or_changes_nothing(outside: Ports, *, there: bool) -> None:
    """With the row, whether that is new or not; one that is there already is a conflict."""
    store, row = outside.user_statuses, UserStatusRow(POLICY, "u")
    mine, other = (Acceptance(an_id(n=n), VERSION, {"devicesCount": n}) for n in (1, 2))
    etag = store.commit(KEY, row, None) if there else None

    etag = store.commit(KEY, row, etag, registered=[mine])
    with pytest.raises(Conflict):
        store.commit(KEY, replace(row, lease=Lease("me", NOW, NOW)), etag, registered=[other, mine])

    assert store.read(KEY) == Snapshot(row, etag, (mine,))
    store.commit(KEY, row, etag, registered=[other], settled=[mine.update_id])
    assert store.read(KEY).accepted == (other,)


def test_more_than_a_hundred_acceptances_are_settled_at_once(outside: Ports) -> None:
    """The limit of one transaction is nobody's concern."""
    ids = [an_id(n=n) for n in range(130)]
    with ThreadPoolExecutor(8) as threads:
        for one in ids:
            threads.submit(outside.user_statuses.register, KEY, Acceptance(one, VERSION, {"devicesCount": 1}))
    etag = outside.user_statuses.commit(KEY, UserStatusRow(POLICY, "u"), None)

    outside.user_statuses.commit(KEY, UserStatusRow(POLICY, "u"), etag, settled=ids)

    assert not outside.user_statuses.read(KEY).accepted


def test_the_shared_row_is_swapped_by_one_at_a_time(outside: Ports) -> None:
    """Of two that read the same, one loses."""
    empty, no_etag = outside.rate_limit.read()
    assert (empty, no_etag) == (RateLimitState(), None)
    pacing = RateLimitState(
        stamps=(10, 200, 3_000), hold_until=5, pause_until=6, faults=("a", "b"), open_since=1, probe=7
    )

    outside.rate_limit.write(pacing, None)

    with pytest.raises(Conflict):
        outside.rate_limit.write(RateLimitState(), None)
    read, etag = outside.rate_limit.read()
    assert read == pacing
    outside.rate_limit.write(RateLimitState(), etag)
    with pytest.raises(Conflict):
        outside.rate_limit.write(pacing, etag)


def test_of_many_reservations_of_one_key_the_first_holds(outside: Ports) -> None:
    """Two at the same moment make one update."""
    wanted = [KeyReservation(an_id(n=n), str(n)) for n in range(12)]
    with ThreadPoolExecutor(6) as threads:
        held = list(threads.map(lambda one: outside.idempotency_keys.reserve("s" * 64, one), wanted))

    assert len(set(held)) == 1
    assert held[0] in wanted


def test_old_keys_are_purged(outside: Ports) -> None:
    """And may be used again."""
    for n in range(3):
        outside.idempotency_keys.reserve(f"{n}" * 64, KeyReservation(an_id(seconds=n * 3600), "f"))

    assert outside.idempotency_keys.purge(NOW + timedelta(hours=2), 10) == 2
    assert outside.idempotency_keys.purge(NOW + timedelta(hours=2), 10) == 0
    assert outside.idempotency_keys.reserve("0" * 64, KeyReservation(an_id(9), "g")).fingerprint == "g"


def test_an_update_id_of_another_case_is_still_that_user(outside: Ports) -> None:
    """A GUID is the same in either case."""
    outside.outcomes.insert(queued(an_envelope(deviceCompliancePolicyId=POLICY.upper()), NOW))

    assert outside.outcomes.list(OutcomeFilter(device_compliance_policy_id=POLICY), 10).outcomes
    assert an_update(deviceCompliancePolicyId=POLICY.upper())


def test_many_outcomes_are_made_at_once_and_none_twice(outside: Ports) -> None:
    """Over a hundred, two hours of them, some there already."""
    there = queued(an_envelope(seconds=5), NOW)
    outside.outcomes.insert(replace(there, attempt=7))
    new = [queued(an_envelope(seconds=4_000 * (n % 2), n=n + 10), NOW) for n in range(150)]

    assert outside.outcomes.insert_all([*new, there]) == {there.id}
    assert outside.outcomes.insert_all(new[:3]) == {one.id for one in new[:3]}

    listed = outside.outcomes.list(OutcomeFilter(), 1000).outcomes
    assert {one.id for one in listed} == {one.id for one in (*new, there)}
    stored = outside.outcomes.get(there.id)
    assert stored is not None
    assert stored.outcome.attempt == 7


def test_counts_are_kept_by_hour_and_instance(outside: Ports) -> None:
    """A row is replaced whole; earlier hours are left out, and purged."""
    hour = hour_of(NOW)
    outside.counters.touch()
    outside.counters.write(hour, "a", {1: {"succeeded": 2}})
    outside.counters.write(hour, "a", {1: {"succeeded": 3}, 59: {"error:x": 1}})
    outside.counters.write(hour, "b", {2: {"writes": 1}})
    outside.counters.write(hour - timedelta(hours=30), "a", {0: {"writes": 9}})

    rows = outside.counters.read(hour - timedelta(hours=1))

    assert sorted(rows, key=lambda row: row.instance) == [
        CounterRow(hour, "a", {1: {"succeeded": 3}, 59: {"error:x": 1}}),
        CounterRow(hour, "b", {2: {"writes": 1}}),
    ]
    assert outside.counters.purge(hour, 10) == 1
    assert outside.counters.purge(hour, 10) == 0
    assert len(outside.counters.read(hour - timedelta(days=9))) == 2


def test_a_queue_that_can_be_written_holds_no_message_for_it(outside: Ports) -> None:
    """Readiness asks often."""
    outside.queue.touch()
    outside.queue.touch()
    assert outside.queue.head().length == 0


def test_many_acceptances_are_registered_at_once_each_with_its_user_status(outside: Ports) -> None:
    """Over a hundred in a partition, some there already; neighbours do not see each other."""
    keys_ = [f"a{n:039x}" for n in range(120)] + ["b" * 40]
    outside.user_statuses.register(keys_[3], Acceptance(an_id(), VERSION, {"devicesCount": 0}))
    wanted = [(key, Acceptance(an_id(), VERSION, {"devicesCount": n})) for n, key in enumerate(keys_)]

    outside.user_statuses.register_all(wanted)

    for n in (0, 1, 3, 119, 120):
        (accepted,) = outside.user_statuses.read(keys_[n]).accepted
        assert accepted.properties == {"devicesCount": 0 if n == 3 else n}


def test_many_outcomes_are_replaced_at_once_and_none_that_has_changed(outside: Ports) -> None:
    """Each needs the etag that was read; the others of its hundred are replaced all the same."""
    store = outside.outcomes
    outcomes = [queued(an_envelope(second, second), NOW) for second in range(130)]
    store.insert_all(outcomes)
    read = [stored for outcome in outcomes if (stored := store.get(outcome.id))]
    store.replace(replace(read[7].outcome, attempt=9), read[7].etag)

    changed = store.replace_all([StoredOutcome(replace(stored.outcome, attempt=2), stored.etag) for stored in read])

    assert changed == {outcomes[7].id}
    now = [stored.outcome.attempt for outcome in outcomes if (stored := store.get(outcome.id))]
    assert now == [9 if number == 7 else 2 for number in range(130)]


def test_a_user_status_can_be_read_in_part_its_row_first(outside: Ports) -> None:
    """A turn that finds the row leased needs no acceptance of thousands."""
    row = UserStatusRow(POLICY, "u", {}, Lease("me", NOW, NOW), frozenset({"status"}))
    outside.user_statuses.commit(KEY, row, None)
    outside.user_statuses.register_all([(KEY, Acceptance(an_id(n), VERSION, {"status": "error"})) for n in range(5)])

    part, whole = outside.user_statuses.read(KEY, 3), outside.user_statuses.read(KEY, 5)

    assert (part.row, len(part.accepted), part.whole) == (row, 3, False)
    assert (len(whole.accepted), whole.whole) == (5, True)
