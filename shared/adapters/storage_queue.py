"""The update queue on Azure Queue Storage: messages never expire, and are base64 so that any text survives."""

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from shared.adapters.storage_fault import storage_fault
from shared.service.ports.storage import QueueHead

#: Put Message accepts up to 7 days of invisibility (docs/graph-facts.md#f42).
_MAX_DELAY = timedelta(days=7)
NEVER_EXPIRES = -1

encode_policy = TextBase64EncodePolicy


class StorageQueue:
    """One queue, made at first use."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    def put(self, text: str, delay: timedelta = timedelta(0)) -> None:
        """Put a message of at most 48 KiB that shows after ``delay``, rounded up to whole seconds."""
        seconds = max(0, math.ceil(min(delay, _MAX_DELAY).total_seconds()))
        self._call(lambda: self._client.send_message(text, visibility_timeout=seconds, time_to_live=NEVER_EXPIRES))

    def head(self) -> QueueHead:
        """Return its approximate length, and when its first visible message was put there."""
        length = self._call(self._client.get_queue_properties).approximate_message_count
        first = next(iter(self._call(lambda: self._client.peek_messages(1))), None)
        return QueueHead(length or 0, first.inserted_on if first else None)

    def touch(self) -> None:
        """Set the queue's metadata: a write that leaves no message."""
        self._call(lambda: self._client.set_queue_metadata({"relay": "1"}))

    def _call[T](self, call: Callable[[], T]) -> T:
        try:
            try:
                return call()
            except ResourceNotFoundError:
                self._create()
                return call()
        except (AzureError, ValueError) as error:  # ValueError: no token, or a wait that is too long
            raise storage_fault("queue", error) from error

    def _create(self) -> None:
        with suppress(ResourceExistsError):
            self._client.create_queue()
