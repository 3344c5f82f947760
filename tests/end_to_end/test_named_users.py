"""Updates that name their user by principal name, end to end: Graph's list decides who that is."""

import json
import uuid
from typing import Any

import pytest
import requests

from emulator.stack import Stack, until
from tests.builders import a_message
from tests.end_to_end.relay import final, get, listed, post, queue

pytestmark = pytest.mark.end_to_end


def a_policy(parts: Stack, *names: str) -> tuple[str, list[str]]:
    """A policy with a user status for each name, on pages of two; their ids."""
    policy, ids = str(uuid.uuid4()), [f"{n}-{uuid.uuid4()}" for n in range(len(names))]
    users = zip(ids, names, strict=True)
    value = [{"policyId": policy, "id": user, "userPrincipalName": name} for user, name in users]
    parts.graph.config(pageSize=2)
    parts.graph.control("PUT", "state", {"value": value})
    return policy, ids


def named(policy: str, name: str) -> dict[str, Any]:
    """A message that names its user."""
    message = a_message(deviceCompliancePolicyId=policy, userPrincipalName=name)
    del message["deviceComplianceUserStatusId"]
    return message


def test_a_named_user_is_written_whoever_hands_it_over(running: Stack) -> None:
    """By HTTP or on the queue, in either case, from the last page of the list."""
    policy, ids = a_policy(running, *(f"user{n}@contoso.example" for n in range(5)))
    post(running.base_url, named(policy, "USER4@contoso.example"))
    queue(running).send_message(json.dumps(named(policy, "user3@contoso.example")))

    for user in ids[3:]:
        until(lambda user=user: bool(listed(running.base_url, deviceComplianceUserStatusId=user, status="succeeded")))
        (update,) = listed(running.base_url, deviceComplianceUserStatusId=user)
        assert update["userPrincipalName"].lower().endswith("@contoso.example")
        url = f"{running.base_url}/api/deviceCompliancePolicies/{policy}/userStatuses/{user}"
        confirmed = requests.get(url, timeout=10).json()["properties"]["devicesCount"]["confirmed"]
        assert confirmed["updateId"] == update["id"]
    assert {write["userStatusId"] for write in running.graph.writes() if write["policyId"] == policy} == set(ids[3:])


def test_two_of_a_name_fail_and_nobody_is_looked_for(running: Stack) -> None:
    """Each by its code, with nothing written; a new user may still appear."""
    policy, _ = a_policy(running, "a@contoso.example", "twin@contoso.example", "Twin@contoso.example")
    done = final(running.base_url, post(running.base_url, named(policy, "twin@contoso.example"))["id"])
    assert (done["status"], done["error"]["code"]) == ("failed", "userStatusAmbiguous")
    nobody = post(running.base_url, named(policy, "nobody@contoso.example"))["id"]
    until(lambda: get(running.base_url, nobody)["statusDetail"] == "waiting")
    assert get(running.base_url, nobody)["error"]["code"] == "userStatusNotFound"
    assert not [write for write in running.graph.writes() if write["policyId"] == policy]


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "garbage"}, {"kind": "reset"}])
def test_a_list_that_fails_is_waited_out(running: Stack, fault: dict[str, Any]) -> None:
    """It shows among the attempts; then the update is delivered."""
    policy, (user,) = a_policy(running, "a@contoso.example")
    running.graph.fault(**fault, match={"method": "GET", "policyId": policy})
    update_id = post(running.base_url, named(policy, "a@contoso.example"))["id"]
    until(lambda: get(running.base_url, update_id)["statusDetail"] != "queued")

    done = final(running.base_url, update_id)

    assert (done["statusDetail"], done["deviceComplianceUserStatusId"]) == ("delivered", user)
    assert done["attemptCount"] == 2
