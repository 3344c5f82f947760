"""The senders of ``docs/webhooks.md``, each posting its real shape."""

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.web.test_webhooks import a_world, send

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "webhooks.md").read_text()
BLOCKS = {tuple(kind.split()): text for kind, text in re.findall(r"(?ms)^```json (\w+(?: \w+)?)\n(.*?)^```", DOCUMENT)}
SENDERS = [kind[1] for kind in BLOCKS if kind[0] == "source"]
A_USER = {"userPrincipalName": "auser@contoso.example", "userDisplayName": "A. User"}
MAC = {"status": "nonCompliant", "lastReportedDateTime": "2026-11-23T10:15:00.1234567Z"}
EXPECTED: dict[str, list[dict[str, Any]]] = {
    "ticketing": [{"status": "compliant", "lastReportedDateTime": "2026-11-23T10:15:00Z"}],
    "jamf": [A_USER | {"status": "compliant", "lastReportedDateTime": "2026-11-23T20:33:20.275Z"}],
    "servicenow": [{"status": "nonCompliant", "devicesCount": 2, "lastReportedDateTime": "2026-11-23T10:15:00Z"}],
    "workspaceone": [
        {
            "userPrincipalName": "auser@contoso.example",
            "status": "nonCompliant",
            "lastReportedDateTime": "2026-11-23T09:13:59.5720125Z",
        }
    ],
    "fleet": [MAC | {"userDisplayName": "MacBook 1"}, MAC | {"userDisplayName": "MacBook 2"}],
    "kandji": [A_USER | {"status": "compliant", "lastReportedDateTime": "2026-11-23T10:15:00.123456Z"}],
    "okta": [A_USER | {"status": "nonCompliant", "lastReportedDateTime": "2026-11-23T16:58:59.114Z"}],
    "eventgrid": [{"status": "compliant", "lastReportedDateTime": "2026-11-23T17:30:59Z"}],
}


def proof(verify: dict[str, Any], body: bytes) -> dict[str, str]:
    """What the sender would send along."""
    secret = verify["secrets"][-1]
    if verify["type"] == "header":
        return {verify["header"]: secret}
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {verify["header"]: verify.get("prefix", "") + digest}


@pytest.mark.parametrize("sender", SENDERS)
def test_a_documented_sender_is_understood(sender: str) -> None:
    """As it stands in the document."""
    source, body = json.loads(BLOCKS["source", sender]), BLOCKS["request", sender].encode()
    world = a_world({sender: source})

    response, answer = send(world, sender, body, proof(source["verify"], body))

    assert response.status_code == 202, answer
    accepted = [world.resource(update["id"]) for update in answer["value"]]
    assert [resource["userStatus"] for resource in accepted] == EXPECTED[sender]
    assert {resource["source"] for resource in accepted} == {sender}
    assert send(world, sender, body, {})[0].status_code == 401


def test_an_older_event_of_the_documented_jamf_source_overwrites_nothing() -> None:
    """Its time is epoch milliseconds; while the map left it out, the event that came last won."""
    source = json.loads(BLOCKS["source", "jamf"])
    source["map"] |= {"deviceComplianceUserStatusId": "udid"}
    del source["map"]["userPrincipalName"]
    world = a_world({"jamf": source})
    event = json.loads(BLOCKS["request", "jamf"])
    for version, time in (("15.1", 1795466000275), ("14.0", 1795465000275)):
        event["event"]["osVersion"], event["webhook"]["eventTimestamp"] = version, time
        body = json.dumps(event).encode()
        assert send(world, "jamf", body, proof(source["verify"], body))[0].status_code == 202
        world.run()
    (written,) = world.graph.state.values()
    assert written["status"] == "compliant"


@pytest.mark.parametrize(
    ("change", "updates"), [({"EventTime": "/Date(1795466000275)/"}, 1), ({"EnrollmentEmailAddress": ""}, 0)]
)
def test_other_shapes_of_workspace_one_are_understood(change: dict[str, str], updates: int) -> None:
    """Another form of time; a device without a user is left out."""
    body = json.dumps(json.loads(BLOCKS["request", "workspaceone"]) | change).encode()
    source = json.loads(BLOCKS["source", "workspaceone"])
    response, answer = send(a_world({"w": source}), "w", body, proof(source["verify"], body))
    assert response.status_code == 202
    assert len(answer["value"]) == updates


def test_the_documented_event_on_the_queue_is_understood() -> None:
    """Base64, as Event Grid puts it there."""
    world = a_world()
    world.queue.put(base64.b64encode(BLOCKS[("queue",)].encode()).decode())
    world.run()
    (outcome,) = [outcome for outcome, _ in world.outcomes.rows.values()]
    assert outcome.state.status == "succeeded"
    assert outcome.update is not None
    assert outcome.update.idempotency_key
