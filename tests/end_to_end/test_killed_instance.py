"""A killed instance with the host's own lease of ten minutes on what it had taken."""

import json
import time

import pytest
import requests

from emulator.stack import stack, until
from tests.builders import a_message
from tests.end_to_end.relay import FINAL, listed, queue, submit

pytestmark = pytest.mark.end_to_end

#: As the API promises it.
WITHIN_SECONDS = 180


def test_what_a_killed_instance_held_is_delivered_within_three_minutes() -> None:
    """Five updates posted and five put on the queue by others, all in their calls when the host is killed."""
    with stack(1) as parts:
        parts.graph.config(latencyMilliseconds=20_000)
        users = [f"user-{n}" for n in range(10)]
        submit(parts, [a_message(deviceComplianceUserStatusId=user) for user in users[:5]])
        for user in users[5:]:
            queue(parts).send_message(json.dumps(a_message(deviceComplianceUserStatusId=user)))
        until(lambda: parts.graph.summary()["writes"] == 10, 60, "ten calls on their way")

        parts.hosts[0].kill()
        killed = time.monotonic()
        parts.graph.config(latencyMilliseconds=0)
        parts.hosts[0].start()

        def delivered() -> bool:
            try:
                found = listed(parts.base_url)
            except requests.RequestException:
                return False
            return len(found) == 10 and all(update["status"] in FINAL for update in found)

        until(delivered, WITHIN_SECONDS - (time.monotonic() - killed), "ten final updates")
        assert {update["status"] for update in listed(parts.base_url)} == {"succeeded"}
        assert set(parts.graph.statuses()) == set(users)
