"""Hosts that work side by side: together they keep to the quota and to one writer a user status."""

import json
import random
import uuid

import pytest

from emulator.stack import stack
from tests.end_to_end.relay import QUICK, never_went_back, queue, report, settled, submit

pytestmark = pytest.mark.end_to_end


def test_three_hosts_together_keep_to_the_quota_and_use_it() -> None:
    """Virtual time holds the exact quota (tests/service/rate_limiter); here a host that stalls may send a call late."""
    count, window, updates = 40, 8, 160
    with stack(3, GRAPH_WRITE_QUOTA=f"{count}/{window}", **QUICK) as parts:
        parts.graph.config(quota=f"{count}/{window}")
        for _ in range(updates):
            queue(parts).send_message(json.dumps(report(str(uuid.uuid4()), 0)))
        settled(parts, updates)

        times = sorted(call["start"] for call in parts.graph.writes())
        summary = parts.graph.summary()
        late = summary["byStatus"].get("429", 0)
        assert late <= count // 8
        assert len(times) == updates + late
        assert all(later - earlier > window for earlier, later in zip(times, times[count + late :], strict=False))


def test_shuffled_reports_of_one_user_through_two_hosts_cost_few_writes() -> None:
    """The newest stands, and what Graph sees never goes back."""
    user = str(uuid.uuid4())
    reports = [report(user, n) for n in range(60)]
    random.Random(3).shuffle(reports)
    with stack(2, **QUICK) as parts:
        submit(parts, reports)
        found = settled(parts, 60)

        assert parts.graph.statuses()[user]["devicesCount"] == 59
        assert parts.graph.summary()["writes"] <= 30
        assert {update["status"] for update in found} == {"succeeded"}
        never_went_back(parts)
