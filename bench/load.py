"""Load for the benches: updates put on the queue beforehand, and a wait until all of them are final."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient

from emulator.stack import Stack, until

POLICY = "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


def message(user: str, n: int = 0) -> dict[str, Any]:
    """An update of that user, the n-th report of the day."""
    reported = f"2026-11-23T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z"
    return {
        "deviceCompliancePolicyId": POLICY,
        "deviceComplianceUserStatusId": user,
        "userStatus": {"devicesCount": n, "status": "compliant", "lastReportedDateTime": reported},
    }


def users(count: int) -> list[str]:
    """That many user status ids."""
    return [str(uuid.uuid4()) for _ in range(count)]


def put(stack: Stack, messages: list[dict[str, Any]], name: str = "compliance-updates") -> None:
    """Put them on the queue, as a plain sender does."""
    queue = QueueClient.from_connection_string(stack.storage.connection_string, name)
    with suppress(ResourceExistsError):
        queue.create_queue()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda message: queue.send_message(json.dumps(message), time_to_live=-1), messages))


def drained(stack: Stack, seconds: float = 600) -> None:
    """Wait until the queue is empty, hidden messages included."""
    queue = QueueClient.from_connection_string(stack.storage.connection_string, "compliance-updates")
    until(lambda: queue.get_queue_properties().approximate_message_count == 0, seconds, "an empty queue")
