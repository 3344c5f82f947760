"""Outcome notices through hosts that die and a receiver that fails half of the time."""

import json
import uuid

import pytest

from emulator.stack import stack, until
from tests.end_to_end.relay import QUICK, listed, report, settled, submit
from tests.end_to_end.test_kills_under_load import killing
from tests.end_to_end.test_notices import SECRET, receiving

pytestmark = pytest.mark.end_to_end


def test_kills_and_a_receiver_that_fails_half_of_the_time_lose_no_notice() -> None:
    """Two hosts, one of which dies six times; canceled and failed updates are among them."""
    reports = [report(str(uuid.uuid4()), n % 3) for n in range(120)]
    with receiving(failing=0.5) as (receiver, url):
        notices = {"*": {"type": "webhook", "url": url, "secrets": [SECRET]}}
        settings = {"NOTICES": json.dumps(notices), "GRAPH_WRITE_QUOTA": "100/5"} | QUICK
        with stack(2, lock_seconds=6, **settings) as parts:
            parts.graph.config(quota="100/5")
            parts.graph.fault("status", status=400, count=10)
            with killing(parts.hosts[1]):
                submit(parts, reports)
                settled(parts, len(reports), 300)
                ended = {update["id"]: update["status"] for update in listed(parts.base_url)}
                until(lambda: receiver.events.keys() == ended.keys(), 240, "a notice of each update")
    types = {update_id: event["type"].rsplit(".", 1)[1].lower() for update_id, event in receiver.events.items()}
    assert types == ended
