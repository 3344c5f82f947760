"""What a caller of the relay does."""

import uuid
from typing import Any

import requests
from azure.storage.queue import QueueClient

from emulator.stack import Stack, until
from tests.builders import a_message

FINAL = ("succeeded", "failed", "canceled")


def post(base_url: str, message: Any = None, **changes: Any) -> dict[str, Any]:
    """POST an update; its resource."""
    body = message or a_message(**({"deviceComplianceUserStatusId": str(uuid.uuid4())} | changes))
    answer = requests.post(f"{base_url}/api/updates", json=body, timeout=30)
    assert answer.status_code in (200, 202), answer.text
    resource: dict[str, Any] = answer.json()
    return resource


def get(base_url: str, update_id: str) -> dict[str, Any]:
    """GET an update."""
    answer = requests.get(f"{base_url}/api/updates/{update_id}", timeout=30)
    assert answer.status_code == 200, answer.text
    resource: dict[str, Any] = answer.json()
    return resource


def final(base_url: str, update_id: str, seconds: float = 60) -> dict[str, Any]:
    """An update once it is final."""
    until(lambda: get(base_url, update_id)["status"] in FINAL, seconds, f"{update_id} to be final")
    return get(base_url, update_id)


def listed(base_url: str, **params: str) -> list[dict[str, Any]]:
    """All updates of a list, page by page."""
    found, url = [], f"{base_url}/api/updates"
    query: dict[str, str] | None = {"top": "1000"} | params
    while url:
        page = requests.get(url, params=query, timeout=30).json()
        found += page["value"]
        url, query = page.get("nextLink"), None
    return found


def queue(stack: Stack, name: str = "compliance-updates") -> QueueClient:
    """The queue, through the plain SDK without any encoding."""
    return QueueClient.from_connection_string(stack.storage.connection_string, name)


def queue_is_empty(stack: Stack, name: str = "compliance-updates") -> bool:
    """Nothing left, hidden messages included."""
    return queue(stack, name).get_queue_properties().approximate_message_count == 0
