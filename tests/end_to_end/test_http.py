"""The HTTP API as clients meet it: a real poller, a tester that reads its description, its own request collection."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.core import PipelineClient
from azure.core.pipeline.policies import RetryPolicy
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import LROBasePolling
from azure.core.rest import HttpRequest

from emulator.stack import ROOT, Stack, stack
from tests.builders import a_message
from tests.end_to_end.relay import final, post

pytestmark = pytest.mark.end_to_end
SOURCES = {"collection": {"verify": {"type": "header", "header": "X-Relay-Key", "secrets": ["shared-secret"]}}}


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    """One host, with a webhook source."""
    with stack(GRAPH_WRITE_QUOTA="5000/1", WEBHOOK_SOURCES=json.dumps(SOURCES), RETRY_BASE_SECONDS="0.2") as parts:
        parts.graph.config(quota=None)
        yield parts


def followed(base_url: str, message: dict[str, Any]) -> Any:
    """What an Azure SDK poller ends with."""
    client: Any = PipelineClient(base_url, per_retry_policies=[RetryPolicy()])
    with client:
        request = HttpRequest("POST", f"{base_url}/api/updates", json=message)
        first = client._pipeline.run(request)  # as generated clients do
        polling = LROBasePolling(timeout=1)
        polling._extract_delay = lambda: 0.05
        return LROPoller(client, first, lambda answer: answer.http_response.json(), polling).result(60)


def test_an_azure_sdk_client_can_follow_an_update(running: Stack) -> None:
    """``azure.core.polling`` with Operation-Location."""
    ended = followed(running.base_url, a_message(deviceComplianceUserStatusId="polled"))
    assert (ended["status"], ended["statusDetail"]) == ("succeeded", "delivered")


def test_an_azure_sdk_client_can_follow_a_superseded_update(running: Stack) -> None:
    """It succeeded: a newer value stands."""
    newer = {"devicesCount": 2, "lastReportedDateTime": "2026-01-02T00:00:00Z"}
    older = {"devicesCount": 1, "lastReportedDateTime": "2026-01-01T00:00:00Z"}
    final(
        running.base_url,
        post(running.base_url, a_message(deviceComplianceUserStatusId="polled-2", userStatus=newer))["id"],
    )
    ended = followed(running.base_url, a_message(deviceComplianceUserStatusId="polled-2", userStatus=older))
    assert (ended["status"], ended["statusDetail"]) == ("succeeded", "superseded")


def test_a_body_in_chunks_is_asked_for_with_its_length(running: Stack) -> None:
    """As .NET's PostAsJsonAsync sends it: none of it reaches the function (docs/graph-facts.md#f74)."""
    for path in ("updates", "updates/batch", "webhooks/collection", "webhooks/nobody"):
        chunks = (part for part in (b"{", b"}"))
        answer = requests.post(f"{running.base_url}/api/{path}", data=chunks, timeout=20)
        assert (answer.status_code, answer.json()["title"]) == (411, "Length Required")


def test_head_works_where_get_does(running: Stack) -> None:
    """Without a body, as load balancers probe."""
    for path, status in (("health/live", 200), ("openapi.json", 200), ("updates", 200), ("updates/x", 404)):
        answer = requests.head(f"{running.base_url}/api/{path}", timeout=20)
        assert (answer.status_code, answer.content) == (status, b"")


def test_every_request_of_the_collection_is_answered_as_it_says(running: Stack) -> None:
    """``docs/requests.http``, from top to bottom."""
    values = {"host": running.base_url, "key": "unused"}
    asked = 0
    for block in re.split(r"(?m)^###", (ROOT / "docs" / "requests.http").read_text())[1:]:
        title, _, rest = block.partition("\n")
        expected = re.search(r"-> (\d{3})", title)
        lines = [line for line in rest.splitlines() if not line.startswith("#")]
        text = "\n".join(lines).strip()
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", value)
        head, _, body = text.partition("\n\n")
        first, *headers = head.splitlines()
        method, url = first.split(" ", 1)
        answer = requests.request(
            method, url, headers=dict(line.split(": ", 1) for line in headers), data=body.strip() or None, timeout=40
        )
        assert expected, title
        assert answer.status_code == int(expected[1]), (title, answer.text)
        if "id" in (resource := answer.json() if answer.content else {}):
            values["id"] = resource["id"]
        asked += 1
    assert asked >= 18


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/api/updates/..%2F..", 404),
        ("DELETE", "/api/updates", 405),
        ("GET", "/api/updates/batch", 404),
        ("PUT", "/api/updates/x/cancel", 405),
        ("GET", "/api/updates?top=0", 400),
        ("GET", "/api/updates?status=succeeded%27%20or%20true", 400),
        ("GET", "/api/updates?source=a%27%20or%20PartitionKey%20ge%20%27", 400),
        ("GET", "/api/updates?status=", 400),
        ("GET", "/api/updates?idempotencyKey=a%27%20or%20PartitionKey%20ge%20%27", 200),
    ],
)
def test_what_is_not_there_is_a_problem(running: Stack, method: str, path: str, status: int) -> None:
    """Unknown paths, wrong methods, bad queries; injection finds nothing."""
    answer = requests.request(method, running.base_url + path, timeout=20)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"value": []}
    elif path != "/":
        assert answer.headers["Content-Type"] == "application/problem+json"
