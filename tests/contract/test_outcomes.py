"""What a store of outcomes promises, whoever keeps it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.basics.strict_json import Fault
from shared.core.basics.version import Version
from shared.core.delivery.outcome import Attempt, State, Transition, advance, queued, record, resolved_to, unreadable
from shared.core.intake.envelope import Unreadable
from shared.service.ports.storage import Conflict, InvalidContinuation, OutcomeFilter, Purged, StoredOutcome
from shared.wiring.adapters import Ports
from tests.builders import NOW, POLICY, an_envelope, an_id, an_update

KEY = "a" * 40
VERSION = Version(638_000_000_000_000_000, an_id())


def test_an_outcome_reads_back_whole(ports: Ports) -> None:
    """Every member survives, the newest attempts too."""
    attempt = Attempt(NOW, 12, 503, "x", "r", "c", 1.5)
    envelope = an_envelope(userStatus={"devicesCount": 3, "userDisplayName": "Zoë \U0001f600"}, source="hr")
    outcome = record(queued(envelope, NOW), (attempt,) * 25)
    outcome = advance(outcome, Transition.WAIT, NOW, error={"code": "x", "message": "y"}, next_attempt=NOW)
    outcome = replace(outcome, version=VERSION, result={"a": [1]}, submitted_by="me", replay_of=an_id(1))
    outcome = replace(outcome, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")

    assert ports.outcomes.insert(outcome)

    stored = ports.outcomes.get(outcome.id)
    assert stored is not None
    assert stored.outcome == outcome
    assert stored.outcome.attempt_count == 25
    assert len(stored.outcome.attempts) == 20


def test_an_outcome_keeps_what_its_principal_name_was_resolved_to(ports: Ports) -> None:
    """Beside the message as accepted; lists and filters know it, too."""
    envelope = an_envelope(deviceComplianceUserStatusId=None, userPrincipalName="a@x.example")
    ports.outcomes.insert(queued(envelope, NOW))
    stored = ports.outcomes.get(envelope.id)
    assert stored is not None
    ports.outcomes.replace(resolved_to(stored.outcome, "found"), stored.etag)

    (listed,) = ports.outcomes.list(OutcomeFilter(device_compliance_user_status_id="found"), 10).outcomes

    again = ports.outcomes.get(envelope.id)
    assert again is not None
    for update in (again.outcome.update, listed.update):
        assert update is not None
        assert (update.user_principal_name, update.device_compliance_user_status_id) == ("a@x.example", "found")
        assert update.message == envelope.update.message


def test_a_large_raw_message_survives(ports: Ports) -> None:
    """64 KiB of anything fits."""
    outcome = unreadable(Unreadable(an_id(), (Fault("", "no"),), "é" * 65_536, None), NOW)

    ports.outcomes.insert(outcome)

    stored = ports.outcomes.get(outcome.id)
    assert stored is not None
    assert stored.outcome == outcome


def test_only_the_first_insert_counts(ports: Ports) -> None:
    """Whoever is slower learns it."""
    outcome = queued(an_envelope(), NOW)

    assert ports.outcomes.insert(outcome)
    assert not ports.outcomes.insert(replace(outcome, attempt=9))

    stored = ports.outcomes.get(outcome.id)
    assert stored is not None
    assert stored.outcome.attempt == 1
    assert ports.outcomes.get(an_id(5)) is None


def test_a_replacement_needs_the_etag_that_was_read(ports: Ports) -> None:
    """Two writers never both win."""
    outcome = queued(an_envelope(), NOW)
    ports.outcomes.insert(outcome)
    stored = ports.outcomes.get(outcome.id)
    assert stored is not None
    ports.outcomes.replace(replace(outcome, attempt=2), stored.etag)

    with pytest.raises(Conflict):
        ports.outcomes.replace(replace(outcome, attempt=3), stored.etag)


def test_the_list_is_newest_first_and_pages_visit_each_once(ports: Ports) -> None:
    """Across hours, with new ones coming in between."""
    for n in range(7):
        ports.outcomes.insert(queued(an_envelope(seconds=n * 1800, n=n), NOW))
    first = ports.outcomes.list(OutcomeFilter(), 3)
    ports.outcomes.insert(queued(an_envelope(seconds=99_999), NOW))

    seen = [update.id for update in first.outcomes]
    continuation = first.continuation
    while continuation is not None:
        page = ports.outcomes.list(OutcomeFilter(), 3, continuation)
        seen += [update.id for update in page.outcomes]
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
def test_filters_name_just_what_they_say(ports: Ports, wanted: OutcomeFilter, found: list[int]) -> None:
    """Values of callers are values, never part of a query."""
    changes = [{}, {"source": "hr"}, {"deviceComplianceUserStatusId": "o-2", "idempotencyKey": "k' or 1 eq 1"}, {}]
    for n, change in enumerate(changes):
        outcome = queued(an_envelope(seconds=n * 3600, n=n, **change), NOW)
        ports.outcomes.insert(advance(outcome, Transition.FAIL, NOW) if n == 3 else outcome)

    page = ports.outcomes.list(wanted, 10)

    assert [update.id for update in page.outcomes] == [an_id(n * 3600, n) for n in found]


@pytest.mark.parametrize("garbage", ["x", "e30=", "bnVsbA==", "%%%", "WzFd"])
def test_a_continuation_that_no_list_gave_is_refused(ports: Ports, garbage: str) -> None:
    """It is the caller's fault, and named so."""
    with pytest.raises(InvalidContinuation):
        ports.outcomes.list(OutcomeFilter(), 3, garbage)


def test_purging_takes_the_old_ones_up_to_a_limit(ports: Ports) -> None:
    """In slices, and nothing that is younger, or not final yet."""
    for n in range(6):
        ports.outcomes.insert(advance(queued(an_envelope(seconds=n * 3600, n=n), NOW), Transition.CANCEL, NOW))
    ports.outcomes.insert(queued(an_envelope(n=9), NOW))

    first = ports.outcomes.purge(NOW + timedelta(hours=4), 3)
    rest = ports.outcomes.purge(NOW + timedelta(hours=4), 3, first.continuation)

    assert (first.count, rest) == (3, Purged(1))
    assert ports.outcomes.purge(NOW + timedelta(hours=4), 3) == Purged(0)
    assert len(ports.outcomes.list(OutcomeFilter(), 10).outcomes) == 3


def test_an_update_id_of_another_case_is_still_that_user(ports: Ports) -> None:
    """A GUID is the same in either case."""
    ports.outcomes.insert(queued(an_envelope(deviceCompliancePolicyId=POLICY.upper()), NOW))

    assert ports.outcomes.list(OutcomeFilter(device_compliance_policy_id=POLICY), 10).outcomes
    assert an_update(deviceCompliancePolicyId=POLICY.upper())


def test_many_outcomes_are_made_at_once_and_none_twice(ports: Ports) -> None:
    """Over a hundred, two hours of them, some there already."""
    there = queued(an_envelope(seconds=5), NOW)
    ports.outcomes.insert(replace(there, attempt=7))
    new = [queued(an_envelope(seconds=4_000 * (n % 2), n=n + 10), NOW) for n in range(150)]

    assert ports.outcomes.insert_all([*new, there]) == {there.id}
    assert ports.outcomes.insert_all(new[:3]) == {update.id for update in new[:3]}

    listed = ports.outcomes.list(OutcomeFilter(), 1000).outcomes
    assert {update.id for update in listed} == {update.id for update in (*new, there)}
    stored = ports.outcomes.get(there.id)
    assert stored is not None
    assert stored.outcome.attempt == 7


def test_what_is_open_is_found_whatever_else_is_kept(ports: Ports) -> None:
    """Oldest hour first, again and again; neither final ones nor those of before or after the asked times."""
    for n in range(6):
        outcome = queued(an_envelope(seconds=n * 3600, n=n), NOW + timedelta(hours=n))
        ports.outcomes.insert(advance(outcome, Transition.CANCEL, NOW) if n in (2, 4) else outcome)
    now = NOW + timedelta(hours=6)

    for _ in range(2):
        found = [outcome.id for outcome in ports.outcomes.open(NOW + timedelta(hours=1), now)]
        assert found == [an_id(n * 3600, n) for n in (1, 3, 5)]
    to_the_millisecond = ports.outcomes.open(NOW, NOW + timedelta(hours=3))
    assert [outcome.id for outcome in to_the_millisecond] == [an_id(n * 3600, n) for n in (0, 1)]

    stored = ports.outcomes.get(an_id(3 * 3600, 3))
    assert stored is not None
    ports.outcomes.replace(advance(stored.outcome, Transition.CANCEL, now), stored.etag)
    assert an_id(3 * 3600, 3) not in [outcome.id for outcome in ports.outcomes.open(NOW, now)]


def test_an_outcome_that_is_made_hours_late_is_found_all_the_same(ports: Ports) -> None:
    """Its message waited in a long queue, or tables were down, while its hour was looked through."""
    now = NOW + timedelta(hours=8)
    assert not list(ports.outcomes.open(NOW, now))

    ports.outcomes.insert(queued(an_envelope(n=1), now + timedelta(minutes=30)))
    ports.outcomes.insert_all([queued(an_envelope(seconds=3600, n=n), now + timedelta(minutes=30)) for n in (2, 3)])

    for minutes in (31, 33, 60):
        found = {outcome.id for outcome in ports.outcomes.open(NOW, now + timedelta(minutes=minutes))}
        assert found == {an_id(0, 1), an_id(3600, 2), an_id(3600, 3)}


def test_faults_that_fill_a_summary_stay_with_the_whole_outcome(ports: Ports) -> None:
    """A message of 1.8 KB with a hundred faults breaks no list, and shows all its faults by id."""
    faults = tuple(Fault("/" + "\U0001f600" * 190, f"is wrong {n}") for n in range(100))
    outcome = unreadable(Unreadable(an_id(), faults, "x", None), NOW)
    ports.outcomes.insert(outcome)
    ports.outcomes.insert(queued(an_envelope(n=1), NOW))

    listed = ports.outcomes.list(OutcomeFilter(), 10).outcomes

    assert {update.id for update in listed} == {an_id(), an_id(0, 1)}
    stored = ports.outcomes.get(outcome.id)
    assert stored is not None
    assert stored.outcome.error == outcome.error
    failed = ports.outcomes.list(OutcomeFilter(error_code="invalidMessage"), 10).outcomes
    assert [update.id for update in failed] == [an_id()]
    assert [
        stored.outcome.error for stored in ports.outcomes.scan(OutcomeFilter(error_code="invalidMessage"), 10).found
    ] == [outcome.error]


def test_many_outcomes_are_replaced_at_once_and_none_that_has_changed(ports: Ports) -> None:
    """Each needs the etag that was read; the others of its hundred are replaced all the same."""
    store = ports.outcomes
    outcomes = [queued(an_envelope(second, second), NOW) for second in range(130)]
    store.insert_all(outcomes)
    read = [stored for outcome in outcomes if (stored := store.get(outcome.id))]
    store.replace(replace(read[7].outcome, attempt=9), read[7].etag)

    changed = store.replace_all([StoredOutcome(replace(stored.outcome, attempt=2), stored.etag) for stored in read])

    assert changed == {outcomes[7].id}
    now = [stored.outcome.attempt for outcome in outcomes if (stored := store.get(outcome.id))]
    assert now == [9 if number == 7 else 2 for number in range(130)]
