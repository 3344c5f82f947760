"""A host that is killed again and again under load: nothing is lost, nothing goes back."""

import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from emulator.stack import Host, stack
from tests.end_to_end.relay import QUICK, never_went_back, poisoned, report, settled, submit

pytestmark = pytest.mark.end_to_end


@contextmanager
def killing(host: Host) -> Iterator[None]:
    """Kill a host every few seconds, and start it again: six times, since each kill leaves leases of 17 seconds."""
    over = threading.Event()

    def kill() -> None:
        for _ in range(6):
            if not over.wait(4):
                host.kill()
                host.start()
        over.wait()  # a child dies with the thread that started it

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_kills_outages_and_resets_lose_nothing_and_go_nowhere_back() -> None:
    """300 updates of 100 users through two hosts, one of which dies six times."""
    users = [str(uuid.uuid4()) for _ in range(100)]
    reports = [report(user, n) for user in users for n in range(3)]
    random.Random(1).shuffle(reports)
    with stack(2, lock_seconds=6, GRAPH_WRITE_QUOTA="100/5", **QUICK) as parts:
        parts.graph.config(quota="100/5")
        parts.graph.fault("reset", count=5)
        parts.graph.fault("status", status=503, count=8)  # an outage is met with one call every few seconds
        parts.graph.fault("reset", count=5, landsAfterSeconds=0)
        with killing(parts.hosts[1]):
            ids = submit(parts, reports)
            found = settled(parts, 300, 300)

        assert set(ids) == {update["id"] for update in found}
        assert {update["status"] for update in found} == {"succeeded"}
        counts = {user: status["devicesCount"] for user, status in parts.graph.statuses().items()}
        assert counts == dict.fromkeys(users, 2)
        never_went_back(parts)
        assert poisoned(parts) == 0


def test_bundles_survive_the_kills_of_a_host() -> None:
    """600 bulk updates of 200 users in batches, two hosts: the newest values stand, and all queues are empty."""
    users = [str(uuid.uuid4()) for _ in range(200)]
    reports = [report(user, n) for n in range(3) for user in users]
    with stack(2, lock_seconds=6, GRAPH_WRITE_QUOTA="100/5", **QUICK) as parts:
        parts.graph.config(quota="100/5")
        with killing(parts.hosts[1]):
            for first in range(0, len(reports), 200):
                body = {"updates": reports[first : first + 200]}
                answer = requests.post(f"{parts.base_url}/api/updates/batch", json=body, timeout=30)
                assert answer.status_code == 202
            found = settled(parts, 600, 300)

        assert {update["status"] for update in found} == {"succeeded"}
        counts = {user: status["devicesCount"] for user, status in parts.graph.statuses().items()}
        assert counts == dict.fromkeys(users, 2)
        never_went_back(parts)
        assert poisoned(parts) == 0
