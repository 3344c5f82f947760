"""Writes that Graph applies after their answer: nothing older stands, and nothing that was withdrawn stays."""

import uuid
from typing import Any

import pytest
import requests

from emulator.stack import Stack, stack, until
from tests.end_to_end.relay import QUICK, final, get, never_went_back, report, settled, submit

pytestmark = pytest.mark.end_to_end

SILENT: list[dict[str, Any]] = [
    {"kind": "status", "status": 504},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 408},
    {"kind": "reset"},
    {"kind": "hang"},
]
#: With full jitter, hardly ever before the end of a lease: a retry then would deliver the update before its cancel.
FAR_RETRY = {"RETRY_MAX_SECONDS": "3600", "RETRY_BASE_SECONDS": "3600"}


def of(parts: Stack, user: str) -> list[dict[str, Any]]:
    """Return the writes of a user."""
    return [write for write in parts.graph.writes() if write["userStatusId"] == user]


def test_an_older_write_that_lands_late_never_stands_over_a_newer_one() -> None:
    """The older one gets each answer that says nothing, and lands 3 seconds later, while the newer one waits."""
    users = [str(uuid.uuid4()) for _ in SILENT]
    with stack(2, **QUICK) as parts:
        for user, fault in zip(users, SILENT, strict=True):
            parts.graph.fault(**fault, match={"userStatusId": user}, landsAfterSeconds=3)
        submit(parts, [report(user, 1) for user in users])
        until(lambda: all(of(parts, user) for user in users), 30, "the first calls")
        submit(parts, [report(user, 2) for user in users])
        found = settled(parts, 2 * len(users), 90)

        assert {update["status"] for update in found} == {"succeeded"}
        assert {user: parts.graph.statuses()[user]["devicesCount"] for user in users} == dict.fromkeys(users, 2)
        never_went_back(parts)


def test_a_deadline_does_not_free_a_user_status_whose_write_may_still_land() -> None:
    """The call times out after the deadline and lands at 12 seconds; the newer update is written after it."""
    user = str(uuid.uuid4())
    with stack(1, **QUICK | {"GRAPH_TIMEOUT_SECONDS": "4", "DELIVERY_DEADLINE_HOURS": "0.001"}) as parts:
        parts.graph.fault("hang", landsAfterSeconds=12)
        (older,) = submit(parts, [report(user, 1)])
        until(lambda: bool(of(parts, user)), 20, "the first call")
        assert final(parts.base_url, older, 30)["error"]["code"] == "deadlineExceeded"
        (newer,) = submit(parts, [report(user, 2)])

        assert final(parts.base_url, newer, 60)["status"] == "succeeded"
        first, second = of(parts, user)
        assert first["applied"] < second["start"]
        assert parts.graph.statuses()[user]["devicesCount"] == 2


def test_a_canceled_update_whose_write_landed_gives_way_to_the_value_before_it() -> None:
    """Cancel is refused while the write may land; then Graph gets the older value again."""
    user = str(uuid.uuid4())
    with stack(1, **QUICK | FAR_RETRY) as parts:
        (older,) = submit(parts, [report(user, 1)])
        final(parts.base_url, older)
        parts.graph.fault("hang", landsAfterSeconds=3)
        (newer,) = submit(parts, [report(user, 2)])
        until(lambda: get(parts.base_url, newer)["statusDetail"] == "waiting", 30, "the first attempt")

        def cancel() -> int:
            return requests.post(f"{parts.base_url}/api/updates/{newer}/cancel", timeout=30).status_code

        assert cancel() == 409
        until(lambda: cancel() == 200, 40, "the end of the lease")
        until(lambda: len(of(parts, user)) == 3, 30, "the older value")
        until(lambda: parts.graph.statuses()[user]["devicesCount"] == 1, 10, "the older value in Graph")
        assert cancel() == 200
        assert get(parts.base_url, newer)["status"] == "canceled"
