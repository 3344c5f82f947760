"""A storage folder of the version before: every row is found, read and carried on."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.storage_tables.table import CHUNK
from shared.core.delivery.outcome import State
from shared.core.rate_limit import RateLimitState
from shared.service.delivery.deliver import Delivery
from shared.service.ports.storage import KeyReservation, OutcomeFilter, Purged
from shared.wiring.adapters import Ports
from shared.wiring.services import Services
from tests.builders import NOW, POLICY, USER, a_message, an_envelope, an_id
from tests.contract.rows import Rows
from tests.world import World

pytestmark = pytest.mark.azurite

HOUR = "99501259"
#: The complement of ``an_id()`` and ``an_id(n=1)``.
OPEN_ROW, FAILED_ROW = (f"{(1 << 128) - 1 - int(an_id(n=n).replace('-', ''), 16):032x}" for n in (0, 1))
KEY = an_envelope().user_status_key
#: Not the rate limit's row: the time at which storage wrote it would contradict the clock of the test.
STORED = ("queue", "outcomes", "user_statuses", "idempotency_keys", "counters", "erasures")


def outcome_row(row: str, state: str, **changes: Any) -> dict[str, Any]:
    """An outcome as the version before wrote it."""
    summary: dict[str, Any] = {
        "message": a_message(source="hr", idempotencyKey="k"),
        "resolved": None,
        "version": None,
        "last_action": "2026-11-23T20:30:00+00:00",
        "next_attempt": None,
        "attempt": 1,
        "submitted_by": None,
        "attempt_count": 0,
        "error": None,
        "superseded_by": None,
        "replay_of": None,
        "replayed_by": None,
        "poisoned": 0,
        "traceparent": None,
        "erased": None,
    }
    detail = {"attempts": [], "result": None, "raw_message": None, "raw_message_encoding": None}
    text = json.dumps(summary | changes, separators=(",", ":"))
    chunks = {f"Summary{n}": text[at : at + CHUNK] for n, at in enumerate(range(0, len(text), CHUNK))}
    columns = {"State": state, "PolicyId": POLICY, "UserStatusId": USER, "Source": "hr", "IdempotencyKey": "k"}
    keys = {"PartitionKey": HOUR, "RowKey": row, "ErrorCode": (changes.get("error") or {}).get("code", "")}
    return keys | columns | chunks | {"Detail0": json.dumps(detail)}


@pytest.fixture
def old(azurite_ports: Ports) -> Ports:
    """The stores over rows of the version before: an update on its way, one that failed, and what goes with them."""
    faults = [{"pointer": "/" + "\U0001f600" * 200, "detail": "is not a member of this message"}] * 100
    error = {"code": "invalidMessage", "message": "The message is not a valid update message.", "errors": faults}
    rows = Rows(azurite_ports)
    rows.write("outcomes", outcome_row(OPEN_ROW, "QUEUED"))
    rows.write("outcomes", outcome_row(FAILED_ROW, "FAILED", message=None, error=error))
    values = json.dumps({"status": "compliant"})
    acceptance = {"Version": f"636189804177769392|{an_id()}", "Properties": values}
    rows.write("user_statuses", {"PartitionKey": KEY[0], "RowKey": f"{KEY}-{an_id()}"} | acceptance)
    row = {"PolicyId": POLICY, "UserStatusId": USER, "Confirmed": "{}", "Lease": "null"}
    rows.write("user_statuses", {"PartitionKey": KEY[0], "RowKey": KEY} | row)
    key = {"UpdateId": an_id(), "Fingerprint": "f", "Accepted": NOW}
    rows.write("idempotency_keys", {"PartitionKey": "s" * 64, "RowKey": "key"} | key)
    pacing = {"stamps": [], "hold_until": 5, "pause_until": 0, "faults": [], "open_since": 0, "probe": 0}
    pacing_row = {"PartitionKey": "pacing", "RowKey": "pacing", "Pacing": json.dumps(pacing | {"probe_until": 0})}
    rows.write("rate_limit", pacing_row)
    return azurite_ports


def test_outcomes_of_the_version_before_are_read_and_listed_also_with_long_faults(old: Ports) -> None:
    """Where the summary has more chunks than lists read, the row is read whole."""
    listed = old.outcomes.list(OutcomeFilter(), 9).outcomes

    assert [(outcome.id, outcome.state) for outcome in listed] == [
        (an_id(n=1), State.FAILED),
        (an_id(), State.QUEUED),
    ]
    assert listed[0].error is not None
    assert len(listed[0].error["errors"]) == 100
    assert listed[1].envelope is not None
    assert [outcome.id for outcome in old.outcomes.open(NOW, NOW + timedelta(minutes=1))] == [an_id()]


def test_an_update_of_the_version_before_is_put_back_and_delivered(old: Ports, world: World) -> None:
    """Its message was lost with the instance that held it, its acceptance is settled."""
    world.relay = Services(world.relay.settings, **world.ports() | {name: getattr(old, name) for name in STORED})
    world.clock.step(minutes=2)

    assert world.relay.reconcile() == 1
    stored = old.outcomes.get(an_id())
    assert stored is not None
    assert stored.outcome.envelope is not None
    world.relay.deliver(Delivery(stored.outcome.envelope.to_json().encode(), "m", world.clock.now(), 1))

    delivered = old.outcomes.get(an_id())
    assert delivered is not None
    assert delivered.outcome.state is State.DELIVERED
    assert not old.user_statuses.read(KEY).accepted


def test_keys_and_the_shared_row_of_the_version_before_are_found_until_they_expire(old: Ports) -> None:
    """A repeated message finds its first update; the hold is kept."""
    assert old.idempotency_keys.reserve("s" * 64, KeyReservation(an_id(9), "f")).update_id == an_id()
    assert old.rate_limit.read()[0] == RateLimitState(hold_until=5)
    assert old.idempotency_keys.purge(NOW + timedelta(hours=1), 9) == Purged(1)
