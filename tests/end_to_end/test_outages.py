"""A Graph that fails and storage that goes away: nothing is lost, and an outage costs little."""

import time
import uuid

import pytest
import requests

from emulator.stack import stack, until
from tests.end_to_end.relay import QUICK, never_went_back, poisoned, report, settled, submit

pytestmark = pytest.mark.end_to_end


def test_storage_that_goes_away_under_load_loses_nothing() -> None:
    """What was accepted is delivered; nothing is poisoned."""
    users = [str(uuid.uuid4()) for _ in range(60)]
    with stack(2, lock_seconds=8, GRAPH_WRITE_QUOTA="100/5", **QUICK) as parts:
        parts.graph.config(quota="100/5")
        ids = submit(parts, [report(user, 0) for user in users[:30]])
        parts.storage.stop()
        refused = requests.post(f"{parts.base_url}/api/updates", json=report(users[0], 1), timeout=60)
        parts.storage.start()
        ids += submit(parts, [report(user, 0) for user in users[30:]])
        found = settled(parts, 60)

        assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
        assert set(ids) <= {update["id"] for update in found}
        assert {update["status"] for update in found} == {"succeeded"}
        assert set(users) <= set(parts.graph.statuses())
        assert poisoned(parts) == 0


def test_an_outage_costs_a_few_calls_and_is_over_when_it_is_over() -> None:
    """100 updates wait through 15 seconds of 503 without Retry-After."""
    with stack(2, **QUICK) as parts:
        parts.graph.fault("status", status=503, count=None)
        submit(parts, [report(str(uuid.uuid4()), 0) for _ in range(100)])
        start = parts.graph.writes()[0]["start"]
        until(lambda: time.time() > start + 15, 20, "the end of the outage")
        calls = [call for call in parts.graph.writes() if call["start"] < start + 15]
        parts.graph.mend()
        found = settled(parts, 100)

        assert len(calls) <= 40
        assert {update["status"] for update in found} == {"succeeded"}


def test_a_write_that_lands_late_is_never_followed_by_another_before_it_could() -> None:
    """After a timeout the user status is left alone until the call can no longer land."""
    user = str(uuid.uuid4())
    with stack(1, **QUICK) as parts:
        parts.graph.fault("slow", delaySeconds=6)
        submit(parts, [report(user, 1)])
        until(lambda: bool(parts.graph.writes()), 20, "the first call")
        submit(parts, [report(user, 2)])
        settled(parts, 2, 60)

        assert parts.graph.statuses()[user]["devicesCount"] == 2
        never_went_back(parts)
