"""What a caller of the relay does, and what must hold after it."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from emulator.stack import Stack, until
from shared.core.basics.timestamp import ticks
from tests.builders import a_message

QUICK = {"GRAPH_TIMEOUT_SECONDS": "2", "RETRY_BASE_SECONDS": "0.5", "RETRY_MAX_SECONDS": "3"}
FINAL = ("succeeded", "failed", "canceled")
OPEN = ("notStarted", "running")


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


def first(base_url: str, **params: str) -> list[dict[str, Any]]:
    """The newest update of a list, if it has any."""
    query = {"top": "1"} | params
    found: list[dict[str, Any]] = requests.get(f"{base_url}/api/updates", params=query, timeout=30).json()["value"]
    return found


def queue(stack: Stack, name: str = "compliance-updates") -> QueueClient:
    """The queue, through the plain SDK without any encoding."""
    return QueueClient.from_connection_string(stack.storage.connection_string, name)


def queue_is_empty(stack: Stack, name: str = "compliance-updates") -> bool:
    """Whether no message is left in either lane, hidden ones included."""
    return _messages(stack, name) == 0 == _messages(stack, f"{name}-bulk")


def report(user: str, n: int) -> dict[str, Any]:
    """The n-th report of a user."""
    status = {"devicesCount": n, "lastReportedDateTime": f"2026-11-23T10:{n // 60:02}:{n % 60:02}.{n:07}Z"}
    return a_message(deviceComplianceUserStatusId=user, userStatus=status, idempotencyKey=f"{user}-{n}")


def submit(parts: Stack, reports: list[dict[str, Any]]) -> list[str]:
    """POST them all, at whichever host answers, until each is accepted; their ids."""
    answered: list[str] = []

    def send(body: dict[str, Any]) -> None:
        def accepted() -> bool:
            for host in parts.hosts:
                with suppress(requests.RequestException):
                    answer = requests.post(f"{host.base_url}/api/updates", json=body, timeout=20)
                    if answer.status_code in (200, 202):
                        answered.append(answer.json()["id"])
                        return True
            return False

        until(accepted, 120, "an acceptance")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(send, reports))
    return answered


def settled(
    parts: Stack, count: int, seconds: float = 150, *, name: str = "compliance-updates", **chosen: str
) -> list[dict[str, Any]]:
    """The chosen updates, once every one of them is final and the queue is empty."""

    def done() -> bool:
        with suppress(requests.RequestException, ValueError, KeyError):
            if any(first(parts.base_url, status=status, **chosen) for status in OPEN):
                return False
            found = listed(parts.base_url, **chosen)
            return len(found) >= count and all(update["status"] in FINAL for update in found)
        return False

    until(done, seconds, f"{count} final updates")
    until(lambda: queue_is_empty(parts, name), 60, "an empty queue")
    return listed(parts.base_url, **chosen)


def never_went_back(parts: Stack) -> None:
    """Per user, applied writes are in the order of their reports, one at a time."""
    last: dict[str, int] = {}
    for write in sorted((call for call in parts.graph.writes() if call["applied"]), key=lambda call: call["applied"]):
        reported = ticks(write["body"]["lastReportedDateTime"]) or 0
        assert reported >= last.get(write["userStatusId"], 0), write
        last[write["userStatusId"]] = reported
    assert parts.graph.summary()["overlaps"] == 0


def poisoned(parts: Stack) -> int:
    """How many messages the poison queues hold."""
    return sum(_messages(parts, f"compliance-updates{lane}-poison") for lane in ("", "-bulk"))


def _messages(stack: Stack, name: str) -> int:
    try:
        return queue(stack, name).get_queue_properties().approximate_message_count or 0
    except ResourceNotFoundError:
        return 0
