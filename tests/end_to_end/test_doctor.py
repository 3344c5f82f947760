"""The doctor end to end: each fault is planted in the parts around the app, and named."""

import uuid
from typing import Any

import pytest
import requests

from emulator.stack import ROOT, Host, Stack, stack, started
from tests.builders import EXAMPLE, POLICY

pytestmark = pytest.mark.end_to_end


def doctor(base_url: str, **query: str) -> dict[str, str]:
    """Every check's word; each that is not ok says what to do."""
    answer = requests.get(f"{base_url}/api/doctor", params=query, timeout=200)
    assert answer.status_code == 200, answer.text
    checks: list[dict[str, Any]] = answer.json()["checks"]
    assert all(check["nextStep"] for check in checks if check["status"] != "ok")
    return {check["name"]: check["status"] for check in checks if check["status"] != "ok"}


def a_user(parts: Stack) -> dict[str, str]:
    """The ids of a user status that Graph holds."""
    user = str(uuid.uuid4())
    parts.graph.control("PUT", "state", {"value": [{"policyId": POLICY, "id": user} | EXAMPLE]})
    return {"deviceCompliancePolicyId": POLICY, "deviceComplianceUserStatusId": user}


def test_a_healthy_relay_and_a_patch_without_a_route(running: Stack) -> None:
    """The probe writes what is there; a service without the route is named."""
    ids = a_user(running)
    user = ids["deviceComplianceUserStatusId"]
    assert doctor(running.base_url) == {"graphWrite": "skipped"}
    assert doctor(running.base_url, **ids) == {}
    (write,) = [call for call in running.graph.writes() if call["userStatusId"] == user]
    assert {name: write["body"][name] for name in EXAMPLE} == EXAMPLE
    assert running.graph.statuses()[user] == {"policyId": POLICY, "id": user} | EXAMPLE

    running.graph.fault("noRoute", match={"method": "PATCH", "userStatusId": user})
    assert doctor(running.base_url, **ids) == {"graphWrite": "failing"}


def test_a_missing_role_a_wrong_audience_and_storage_that_is_away() -> None:
    """Each by its own checks."""
    with stack(0) as parts:
        ids = a_user(parts)
        parts.identity.config(roles=[])
        with started(Host(ROOT, parts.environment())) as host:
            found = doctor(host.base_url, **ids)
            assert found == dict.fromkeys(["graphRole", "graphRead", "graphWrite"], "failing")
        parts.identity.config(audience="https://graph.microsoft.us")
        with started(Host(ROOT, parts.environment())) as host:
            found = doctor(host.base_url)
            assert (found["tokenAudience"], found["graphRead"]) == ("failing", "failing")
            parts.storage.stop()
            found = doctor(host.base_url)
            assert (found["queue"], found["tables"]) == ("failing", "failing")
