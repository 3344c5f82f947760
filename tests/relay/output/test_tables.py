"""Tables: they fit 100 columns, and an id stays in one piece."""

import json
from typing import Any

from tests.relay.process import run
from tests.relay.relay_server import listening

MAX_WIDTH = 100
UPDATE = {
    "id": "01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a",
    "createdDateTime": "2026-11-23T20:30:00.123Z",
    "lastActionDateTime": "2026-11-23T20:31:00.123Z",
    "status": "failed",
    "statusDetail": None,
    "deviceCompliancePolicyId": "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "deviceComplianceUserStatusId": "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11_a0b566cd-66cd-a0b5-cd66-b5a0cd66b5a0",
    "source": "a-source-with-a-name-that-is-as-long-as-a-source-may-ever-be-64c",
    "rawMessage": "x" * 400,
    "userStatus": {"userDisplayName": "A name of many words " * 10},
    "error": {"code": "idempotencyKeyConflict", "message": "The key belongs to another update. " * 5},
    "attempts": [
        {
            "startedDateTime": "2026-11-23T20:30:00.123Z",
            "statusCode": 429,
            "code": "activityLimitReached",
            "durationMilliseconds": 123456,
            "requestId": "9d385017-c611-2287-01d2-2104cc95c371",
            "retryAfterSeconds": 17,
        }
    ],
}
CHECKS = [
    {
        "name": "directory-permission",
        "status": "failing",
        "detail": "Graph answered 403 to the list of user statuses of the policy that was given to doctor",
        "nextStep": "grant DeviceManagementConfiguration.ReadWrite.All to the identity of the app: " * 3,
    }
]


def answer(_method: str, target: str, *_: Any) -> Any:
    """Answer with long values."""
    body: dict[str, Any] = UPDATE
    if target.startswith("/api/doctor"):
        body = {"status": "failing", "checks": CHECKS}
    elif target.startswith("/api/updates?"):
        body = {"value": [UPDATE, UPDATE | {"status": "succeeded", "statusDetail": "superseded", "error": None}]}
    return 200, {}, json.dumps(body).encode()


def lines(*arguments: str) -> list[str]:
    """Return the lines of a command's output; none is too long."""
    with listening(answer) as url:
        printed = run(url, *arguments).out.splitlines()
    assert max(map(len, printed)) <= MAX_WIDTH
    return printed


def test_the_list_fits_and_keeps_ids_whole() -> None:
    """An id can be copied, and the error is beside its status."""
    printed = lines("list")
    assert sum(UPDATE["id"] in line for line in printed) == 2
    assert any("succeeded superseded" in line for line in printed)
    assert any("idempotencyKeyConflict" in line for line in printed)
    assert any("_a0b566cd" in line or "a0b566cd-66cd-a0b5-cd66-b5a0cd66b5a0" in line for line in printed)


def test_an_update_fits_with_its_attempts() -> None:
    """The request's id of Graph can be copied too."""
    printed = lines("get", str(UPDATE["id"]))
    attempt = next(line for line in printed if "9d385017-c611-2287-01d2-2104cc95c371" in line)
    assert "429 activityLimitReached" in attempt
    assert any("retry after 17 s" in line for line in printed)


def test_the_next_step_is_wrapped() -> None:
    """Every word of it is there."""
    printed = lines("doctor")
    assert " ".join(printed).count("DeviceManagementConfiguration") == 3
