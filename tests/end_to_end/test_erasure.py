"""A person is erased from the running relay: by the request itself, and by the timer where that has to wait."""

import json
from typing import Any

import pytest
import requests
from azure.core import PipelineClient
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import LROBasePolling
from azure.core.rest import HttpRequest
from azure.data.tables import TableServiceClient

from emulator.stack import Stack, until
from tests.builders import a_message
from tests.end_to_end.relay import final, get, listed, post, queue

pytestmark = pytest.mark.end_to_end
NAME = "grace.hopper@contoso.com"


def reported(name: str, **more: object) -> dict[str, object]:
    """What a sender tells of a person."""
    return {"userPrincipalName": name, "status": "compliant"} | more


def all_tables(running: Stack) -> str:
    """Everything that the storage account's tables hold."""
    with TableServiceClient.from_connection_string(running.storage.connection_string) as service:
        rows = [
            dict(row) for table in service.list_tables() for row in service.get_table_client(table.name).list_entities()
        ]
    return json.dumps(rows, default=str).lower()


def test_an_azure_sdk_client_erases_a_person(running: Stack) -> None:
    """Delivered, unreadable and still waiting ones, in every table; everybody else stays."""
    base = running.base_url
    mine = post(base, a_message(deviceComplianceUserStatusId="grace", userStatus=reported(NAME)))["id"]
    other = post(base, a_message(deviceComplianceUserStatusId="other", userStatus=reported(f"x.{NAME}")))["id"]
    for update_id in (mine, other):
        assert final(base, update_id)["status"] == "succeeded"
    queue(running).send_message(json.dumps({"userPrincipalName": NAME}), time_to_live=-1)
    until(lambda: len(listed(base)) == 3, 30, "the unreadable message's outcome")
    running.graph.fault("throttle", count=1, retryAfter="4")
    waiting = post(base, a_message(deviceComplianceUserStatusId="grace", userStatus=reported(NAME, devicesCount=2)))[
        "id"
    ]
    until(lambda: get(base, waiting)["status"] == "running", 30, "the update to wait")

    client: Any = PipelineClient(base)
    with client:
        first = client._pipeline.run(HttpRequest("POST", f"{base}/api/erasures", json={"userPrincipalName": NAME}))
        assert first.http_response.json()["status"] == "running"
        polling = LROBasePolling(timeout=1)
        ended = LROPoller(client, first, lambda answer: answer.http_response.json(), polling).result(150)

    assert (ended["status"], ended["updatesErased"], ended["userStatusesErased"]) == ("succeeded", 3, 1)
    assert get(base, waiting)["statusDetail"] == "delivered"
    assert get(base, waiting)["userStatus"] is None
    assert get(base, other)["userStatus"]["userPrincipalName"] == f"x.{NAME}"
    assert NAME not in all_tables(running).replace(f"x.{NAME}", "")
    assert requests.post(f"{base}/api/updates/{mine}/replay", timeout=20).status_code == 409
