"""What one would write first: a queue trigger that sends each message as it comes. Here for comparison only."""

import os
import uuid
from typing import Any

import azure.functions as func
import requests
from azure.identity import ManagedIdentityCredential

app = func.FunctionApp()
credential = ManagedIdentityCredential()
session = requests.Session()


@app.queue_trigger(arg_name="message", queue_name="%UPDATES_QUEUE%", connection="UPDATES_STORAGE")
def plain(message: func.QueueMessage) -> None:
    """PATCH, or raise."""
    update: Any = message.get_json()
    token = credential.get_token("https://graph.microsoft.com/.default").token
    root = f"{os.environ['GRAPH_BASE_URL']}/beta/deviceManagement/deviceCompliancePolicies"
    answer = session.patch(
        f"{root}/{update['deviceCompliancePolicyId']}/userStatuses/{update['deviceComplianceUserStatusId']}",
        json={"@odata.type": "#microsoft.graph.deviceComplianceUserStatus", **update["userStatus"]},
        headers={"Authorization": f"Bearer {token}", "client-request-id": str(uuid.uuid4())},
        timeout=30,
    )
    answer.raise_for_status()
