"""The main job, end to end, on real parts."""

import base64
import json
import uuid
from typing import Any

import pytest
import requests

from emulator.children import StartError
from emulator.stack import ROOT, Host, Stack, started, until
from tests.builders import EXAMPLE, POLICY, a_message
from tests.end_to_end.relay import final, listed, post, queue, queue_is_empty

pytestmark = pytest.mark.end_to_end


def test_the_documented_example_arrives_in_graph_member_for_member(running: Stack) -> None:
    """With the identity's token, and its outcome says so."""
    update = post(running.base_url)

    done = final(running.base_url, update["id"])

    assert (done["status"], done["statusDetail"], done["attemptCount"]) == ("succeeded", "delivered", 1)
    (write,) = [
        call for call in running.graph.writes() if call["userStatusId"] == update["deviceComplianceUserStatusId"]
    ]
    assert write["body"] == {"@odata.type": "#microsoft.graph.deviceComplianceUserStatus"} | EXAMPLE
    assert write["path"].startswith(f"/beta/deviceManagement/deviceCompliancePolicies/{POLICY}/userStatuses/")
    assert done["attempts"][0]["clientRequestId"] == write["headers"]["client-request-id"]
    assert done["result"]["lastReportedDateTime"] == EXAMPLE["lastReportedDateTime"]


@pytest.mark.parametrize("encode", [lambda text: text, lambda text: base64.b64encode(text.encode()).decode()])
def test_a_message_put_on_the_queue_with_the_plain_sdk_gets_an_outcome(running: Stack, encode: Any) -> None:
    """Encoded or not."""
    user = str(uuid.uuid4())
    queue(running).send_message(encode(json.dumps(a_message(deviceComplianceUserStatusId=user))))

    until(
        lambda: any(
            update["status"] == "succeeded" for update in listed(running.base_url, deviceComplianceUserStatusId=user)
        )
    )

    assert user in running.graph.statuses()


#: Base64 and the text that it holds.
DECODED = {"eyJhIjox": '{"a":1', "8J+YgA==": "\N{GRINNING FACE}"}


@pytest.mark.parametrize(
    "text", ["not a message", "[]", "{" * 20_000, "x" * 65_000, *DECODED, json.dumps(a_message(source="a b"))]
)
def test_what_cannot_be_read_ends_as_an_outcome_with_its_text(running: Stack, text: str) -> None:
    """Nothing of it raises in the host, or is lost; of base64 its text is kept."""
    before = {update["id"] for update in listed(running.base_url, status="failed")}
    queue(running).send_message(text)

    def new() -> list[dict[str, Any]]:
        return [update for update in listed(running.base_url, status="failed") if update["id"] not in before]

    until(lambda: bool(new()))
    outcome = final(running.base_url, new()[0]["id"])
    assert outcome["error"]["code"] == "invalidMessage"
    assert outcome["rawMessage"] == DECODED.get(text, text)
    until(lambda: queue_is_empty(running))


def test_a_404_and_the_missing_route_end_as_the_contract_says(running: Stack) -> None:
    """Final, each with its code."""
    users = {"graphRejected": str(uuid.uuid4()), "operationNotSupported": str(uuid.uuid4())}
    running.graph.fault("status", status=404, code="NotFound", match={"userStatusId": users["graphRejected"]})
    running.graph.fault("noRoute", match={"userStatusId": users["operationNotSupported"]})

    for code, user in users.items():
        done = final(running.base_url, post(running.base_url, deviceComplianceUserStatusId=user)["id"])
        assert (done["status"], done["error"]["code"]) == ("failed", code)
        assert done["error"]["innerError"]["clientRequestId"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 401, "count": 1},
        {"kind": "reset"},
        {"kind": "reset", "landsAfterSeconds": 0},
        {"kind": "garbage"},
        {"kind": "html"},
        {"kind": "truncated"},
        {"kind": "huge"},
        {"kind": "intuneNested", "status": 503, "retryAfter": 1},
        {"kind": "throttle", "retryAfter": "1"},
        {"kind": "empty"},
        {"kind": "status", "status": 403},
    ],
)
def test_whatever_passes_is_waited_out(running: Stack, fault: dict[str, Any]) -> None:
    """Every way of failing that may pass ends in a delivery."""
    user = str(uuid.uuid4())
    running.graph.fault(**fault, match={"userStatusId": user})  # type: ignore[misc]

    done = final(running.base_url, post(running.base_url, deviceComplianceUserStatusId=user)["id"])

    assert done["statusDetail"] == "delivered"
    assert running.graph.statuses()[user]["devicesCount"] == EXAMPLE["devicesCount"]


def test_a_curl_of_a_wrong_body_lists_all_its_faults(running: Stack) -> None:
    """As problem details, through the host."""
    answer = requests.post(f"{running.base_url}/api/updates", json={"userStatus": {"status": "x"}}, timeout=10)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert len(answer.json()["errors"]) == 3


def test_unknown_paths_and_liveness(running: Stack) -> None:
    """Problems, too."""
    assert requests.get(f"{running.base_url}/api/health/live", timeout=10).json() == {"status": "ok"}
    unknown = requests.put(f"{running.base_url}/api/nothing/here", timeout=10)
    assert (unknown.status_code, unknown.json()["status"]) == (404, 404)


def test_the_app_refuses_to_start_with_a_bad_setting() -> None:
    """One message names every fault."""
    env = {"UPDATES_STORAGE": "nonsense", "GRAPH_CLOUD": "mars"}
    with pytest.raises(StartError, match=r"GRAPH_CLOUD.*UPDATES_STORAGE"), started(Host(ROOT, env)):
        pass
