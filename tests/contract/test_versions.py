"""Two versions of this app side by side: what the other one wrote is read, moved on and kept."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.storage_tables.outcome_row import keys
from shared.core.basics.version import Version
from shared.core.delivery.outcome import Attempt, State, Transition, advance, queued, record
from shared.core.delivery.user_status import Acceptance, Lease, UserStatusRow, Value
from shared.core.erasure.erasure import ErasureState, going_on, requested
from shared.core.erasure.subject import Subject
from shared.core.intake.update import Update
from shared.service.ports.storage import KeyReservation, OutcomeFilter
from shared.wiring.adapters import Ports
from tests.builders import NOW, POLICY, a_message, an_envelope, an_id
from tests.contract.rows import Rows

pytestmark = pytest.mark.azurite

KEY = "a" * 40
VERSION = Version(638_000_000_000_000_000, an_id())
ATTEMPT = Attempt(NOW, 12, 503, "x", "r", "c", 1.5)


@pytest.fixture
def rows(azurite_ports: Ports) -> Rows:
    """The tables of a fresh app on Azurite."""
    return Rows(azurite_ports)


def with_more(row: dict[str, Any], chunk: str, **members: Any) -> dict[str, Any]:
    """A row whose JSON in ``chunk`` holds more members."""
    return row | {chunk: json.dumps(json.loads(row[chunk]) | members)}


def test_an_outcome_with_members_of_a_newer_version_is_read_moved_and_kept(rows: Rows) -> None:
    """In a column, in the summary, in the details and in an attempt; what is unknown stays in the row."""
    outcomes, outcome = rows.ports.outcomes, record(queued(an_envelope(), NOW), (ATTEMPT,))
    outcomes.insert(outcome)
    row = with_more(rows.read("outcomes", *keys(outcome.id)), "Summary0", priority="bulk")
    attempts = [attempt | {"lane": 1} for attempt in json.loads(row["Detail0"])["attempts"]]
    rows.write(
        "outcomes", with_more(row, "Detail0", verification={"state": "confirmed"}, attempts=attempts) | {"Held": 7}
    )

    stored = outcomes.get(outcome.id)
    assert stored is not None
    assert replace(stored.outcome, unknown={}) == outcome
    outcomes.replace(advance(stored.outcome, Transition.DELIVER, NOW), stored.etag)

    moved = rows.read("outcomes", *keys(outcome.id))
    assert (moved["State"], moved["Held"]) == ("DELIVERED", 7)
    assert json.loads(moved["Summary0"])["priority"] == "bulk"
    assert json.loads(moved["Detail0"])["verification"] == {"state": "confirmed"}
    assert [update.state for update in outcomes.list(OutcomeFilter(), 9).outcomes] == [State.DELIVERED]


def test_a_message_with_members_of_a_newer_version_is_still_an_update(rows: Rows) -> None:
    """It was valid when it was accepted, so it can be sent and replayed."""
    update = Update(a_message(priority="bulk"))
    outcome = queued(replace(an_envelope(), update=update), NOW)
    rows.ports.outcomes.insert(outcome)

    stored = rows.ports.outcomes.get(outcome.id)

    assert stored is not None
    assert stored.outcome.update == update
    assert stored.outcome.envelope is not None


def test_an_outcome_in_a_state_of_a_newer_version_breaks_no_page_and_stays_open(
    rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    """It is skipped and logged in lists, replays and erasures, and its hour is never taken for closed."""
    outcomes = rows.ports.outcomes
    for n in range(3):
        outcomes.insert(queued(an_envelope(n=n), NOW))
    rows.change("outcomes", *keys(an_id(n=1)), State="PARKED")
    now = NOW.replace(hour=23)

    for _ in range(2):
        assert [update.id for update in outcomes.open(NOW, now)] == [an_id(n=2), an_id(n=0)]
    assert [update.id for update in outcomes.list(OutcomeFilter(), 9).outcomes] == [an_id(n=2), an_id(n=0)]
    assert [stored.outcome.id for stored in outcomes.scan(OutcomeFilter(), 9).found] == [an_id(n=2), an_id(n=0)]
    assert any(keys(an_id(n=1))[1] == getattr(record_, "row", None) for record_ in caplog.records)
    for n in (0, 2):
        stored = outcomes.get(an_id(n=n))
        assert stored is not None
        outcomes.replace(advance(stored.outcome, Transition.CANCEL, NOW), stored.etag)
    assert not list(outcomes.open(NOW, now))
    rows.change("outcomes", *keys(an_id(n=1)), State="QUEUED")
    assert [update.id for update in outcomes.open(NOW, now)] == [an_id(n=1)]


def test_a_user_status_with_members_of_a_newer_version_is_read_moved_and_kept(rows: Rows) -> None:
    """In the row, in a value, in the lease and in an acceptance; what is unknown stays in the row."""
    store = rows.ports.user_statuses
    row = UserStatusRow(POLICY, "u", {"status": Value("compliant", VERSION, an_id())}, Lease("me", NOW, NOW))
    acceptance = Acceptance(an_id(1), VERSION, {"devicesCount": 1})
    store.commit(KEY, row, None, registered=[acceptance])
    written = rows.read("user_statuses", "a", KEY)
    confirmed = {name: [*value, "more"] for name, value in json.loads(written["Confirmed"]).items()}
    lease = json.dumps([*json.loads(written["Lease"]), "more"])
    rows.change("user_statuses", "a", KEY, Confirmed=json.dumps(confirmed), Lease=lease, Unconfirmed="[1]")
    rows.change("user_statuses", "a", f"{KEY}-{an_id(1)}", Lane="bulk")

    snapshot = store.read(KEY)
    assert (snapshot.row, snapshot.accepted) == (row, (acceptance,))
    assert [entry.key for entry in store.scan(9).found] == [KEY, KEY]
    etag = store.commit(KEY, replace(row, lease=None), snapshot.etag)
    store.commit(KEY, row, etag, settled=[acceptance.update_id])

    assert rows.read("user_statuses", "a", KEY)["Unconfirmed"] == "[1]"


def test_one_broken_acceptance_stops_neither_its_user_nor_a_scan(rows: Rows) -> None:
    """The others of that user are sent; its own update brings its values with its message."""
    store, acceptance = rows.ports.user_statuses, Acceptance(an_id(1), VERSION, {"devicesCount": 1})
    store.register(KEY, acceptance)
    store.register(KEY, Acceptance(an_id(2), VERSION, {}))
    rows.change("user_statuses", "a", f"{KEY}-{an_id(2)}", Properties="{")

    assert store.read(KEY).accepted == (acceptance,)
    assert len(store.scan(9).found) == 1


def test_an_erasure_with_members_of_a_newer_version_goes_on(rows: Rows) -> None:
    """In its subject and in its progress."""
    store, erasure = rows.ports.erasures, requested(an_id(), Subject(name="a@x.example"), NOW)
    store.insert(erasure)
    row = with_more(rows.read("erasures", "erasure", erasure.id), "Progress0", tables=["x"])
    rows.write("erasures", with_more(row, "Subject0", alias="b@x.example"))

    (stored,) = store.open(9)
    assert stored.erasure == erasure
    store.replace(going_on(erasure, NOW, round=2), stored.etag)

    moved = store.get(erasure.id)
    assert moved is not None
    assert (moved.erasure.state, moved.erasure.progress.round) == (ErasureState.RUNNING, 2)


def test_a_key_and_counts_with_members_of_a_newer_version_are_read(rows: Rows) -> None:
    """A fake finds the first update of its key."""
    first = rows.ports.idempotency_keys.reserve("s" * 64, KeyReservation(an_id(), "f"))
    rows.change("idempotency_keys", "s", "s" * 64, Lane="bulk")
    hour = NOW.replace(minute=0)
    rows.ports.counters.write(hour, "a", {1: {"succeeded": 2}})
    rows.change("counters", "2026-11-23T20:00+00:00", "a", Lane="bulk")

    assert rows.ports.idempotency_keys.reserve("s" * 64, KeyReservation(an_id(1), "g")) == first
    assert [row.minutes for row in rows.ports.counters.read(hour)] == [{1: {"succeeded": 2}}]
