"""Telemetry through the real SDK and exporter, from the app in Microsoft's runtime to a local ingestion endpoint."""

import uuid
from pathlib import Path

import pytest
import requests

from emulator.stack import stack
from tests.builders import EXAMPLE, a_message
from tests.end_to_end.collector import collector
from tests.end_to_end.relay import QUICK, final, post

pytestmark = pytest.mark.end_to_end

CALLER = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
METRICS = {
    "relay.updates",
    "relay.update.attempts",
    "relay.update.waiting",
    "relay.graph.duration",
}


def test_the_retry_of_an_update_arrives_as_one_trace_when_the_host_stops() -> None:
    """Spans, metrics and log lines, all of them sent before the process ends; no id of a user, no name."""
    user = str(uuid.uuid4())
    with collector() as taken, stack(1, **taken.environment, **QUICK) as parts:
        parts.graph.fault("status", status=503, match={"userStatusId": user})
        answer = requests.post(
            f"{parts.base_url}/api/updates",
            json=a_message(deviceComplianceUserStatusId=user),
            headers={"traceparent": CALLER},
            timeout=60,
        )
        done = final(parts.base_url, answer.json()["id"])
        assert parts.hosts[0].stop() == 0

    dependencies, turns, lines = taken.of("RemoteDependencyData"), taken.of("RequestData"), taken.of("MessageData")
    assert done["attemptCount"] == 2
    assert [call["resultCode"] for call in dependencies if call["name"].startswith("PATCH")] == ["503", "200"]
    assert [turn["name"] for turn in turns] == ["process compliance-updates"] * 2
    assert {span["tags"]["ai.operation.id"] for span in (*dependencies, *turns)} == {"a" * 32}
    about = [line for line in lines if line.get("properties", {}).get("update_id") == done["id"]]
    assert {"graph answered", "waiting", "delivered"} <= {line["message"] for line in about}
    assert {line["tags"]["ai.operation.id"] for line in about} == {"a" * 32}
    assert taken.metrics() >= METRICS
    everything = str(taken.envelopes)
    assert [word for word in (user, *map(str, EXAMPLE.values())) if len(word) > 2 and word in everything] == []


def test_an_ingestion_that_is_away_changes_nothing_for_deliveries(tmp_path: Path) -> None:
    """What watches may fail; what is watched goes on."""
    with collector() as taken:
        environment = taken.environment | {"TMPDIR": str(tmp_path)}  # where the exporter keeps what it cannot send
    with stack(1, **environment, **QUICK) as parts:
        assert final(parts.base_url, post(parts.base_url)["id"])["status"] == "succeeded"
        assert parts.hosts[0].stop() == 0
