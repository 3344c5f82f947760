"""The queue trigger as the real listener works: batches, leases, retries, poison, idle backoff.

Source: docs/graph-facts.md#f30 to #f34.
"""

import asyncio
import base64
import binascii
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.storage.queue import QueueMessage, QueueServiceClient

from emulator.host_settings import QueueOptions, resolved
from emulator.protos import TypedData
from emulator.runtime import Function, InvocationError, invoke

log = logging.getLogger("host.queue")

_IDLE_SECONDS = 0.1
_POISON_SECONDS = 7 * 24 * 3600


def queue_service(connection: str) -> QueueServiceClient:
    """The storage behind a binding's ``connection``, as the host finds it (docs/graph-facts.md#f37)."""
    options: dict[str, Any] = {"retry_total": 1, "initial_backoff": 1, "connection_timeout": 3, "read_timeout": 10}
    text = os.environ.get(connection)
    if text:
        return QueueServiceClient.from_connection_string(text, **options)
    uri = os.environ.get(f"{connection}__queueServiceUri") or os.environ[f"{connection}__serviceUri"]
    credential = ManagedIdentityCredential(client_id=os.environ.get(f"{connection}__clientId"))
    return QueueServiceClient(uri, credential=credential, **options)


class QueueListener:
    """Feeds one function from its queue until stopped."""

    def __init__(self, function: Function, options: QueueOptions, lock_seconds: int) -> None:
        self._function, self._options, self._lock_seconds = function, options, lock_seconds
        self._name = resolved(function.trigger["queueName"])
        self._service = queue_service(function.trigger["connection"])
        self._queue = self._service.get_queue_client(self._name)
        self._threads = ThreadPoolExecutor(options.batch_size + options.new_batch_threshold + 2)
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Receive and dispatch."""
        idle, down = _IDLE_SECONDS, False
        while not self._stopping:
            try:
                batch = await self._call(self._receive)
                down = False
            except ResourceNotFoundError:
                batch = []
            except (AzureError, OSError) as error:
                if not down:
                    log.warning("%s: storage is away: %s", self._name, type(error).__name__)
                batch, down, idle = [], True, 1.0
            idle = _IDLE_SECONDS if batch else min(idle * 2, self._options.max_polling_seconds)
            for message in batch:
                self._start(message)
            if not batch:
                await self._sleep(idle)
            while len(self._running) > self._options.new_batch_threshold and not self._stopping:
                self._wake.clear()
                await self._wake.wait()

    async def stop(self, seconds: float) -> None:
        """Take no more, and let what runs finish."""
        self._stopping = True
        self._wake.set()
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _receive(self) -> list[QueueMessage]:
        size = self._options.batch_size
        return list(
            self._queue.receive_messages(
                messages_per_page=min(size, 32), max_messages=min(size, 32), visibility_timeout=self._lock_seconds
            )
        )

    def _start(self, message: QueueMessage) -> None:
        task = asyncio.create_task(self._handle(message))
        self._running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception():
            log.warning("%s: %s", self._name, task.exception())

    async def _handle(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 1) > self._options.max_dequeue_count:
            await self._call(self._poison, message)
            return
        try:
            data = _data(message, encoded=self._options.encoded)
        except (binascii.Error, UnicodeDecodeError):
            await self._call(self._poison, message)
            return
        renewal = asyncio.create_task(self._renew(message))
        try:
            await invoke(self._function, data, _metadata(message))
        except InvocationError as error:
            log.error("%s failed: %s", self._function.name, error)
            await self._call(self._release, message)
        else:
            await self._call(self._delete, message)
        finally:
            renewal.cancel()

    async def _renew(self, message: QueueMessage) -> None:
        while True:
            await asyncio.sleep(self._lock_seconds / 2)
            try:
                await self._call(self._hide, message, self._lock_seconds)
            except AzureError as error:
                log.warning("%s: lease not renewed: %s", self._name, type(error).__name__)

    def _hide(self, message: QueueMessage, seconds: float) -> None:
        changed = self._queue.update_message(message, visibility_timeout=int(seconds))
        message.pop_receipt = changed.pop_receipt

    def _delete(self, message: QueueMessage) -> None:
        try:
            self._queue.delete_message(message)
        except ResourceNotFoundError:
            log.debug("%s: someone else has it", self._name)

    def _release(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 1) >= self._options.max_dequeue_count:
            return self._poison(message)
        try:
            self._hide(message, self._options.visibility_seconds)
        except ResourceNotFoundError:
            log.debug("%s: someone else has it", self._name)
        return None

    def _poison(self, message: QueueMessage) -> None:
        log.warning("%s: a message goes to poison", self._name)
        poison = self._service.get_queue_client(f"{self._name}-poison")
        with suppress(ResourceExistsError):
            poison.create_queue()
        poison.send_message(message.content, time_to_live=_POISON_SECONDS)
        self._delete(message)

    async def _call[**P, T](self, call: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    async def _sleep(self, seconds: float) -> None:
        for _ in range(max(1, int(seconds / 0.05))):
            if self._stopping:
                return
            await asyncio.sleep(0.05)


def _data(message: QueueMessage, *, encoded: bool) -> TypedData:
    if encoded:
        return TypedData(string=base64.b64decode(message.content, validate=True).decode())
    return TypedData(string=message.content or "")


def _metadata(message: QueueMessage) -> dict[str, TypedData]:
    return {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": TypedData(json=_moment(message.inserted_on)),
        "ExpirationTime": TypedData(json=_moment(message.expires_on)),
        "NextVisibleTime": TypedData(json=_moment(message.next_visible_on)),
    }


def _moment(moment: datetime | None) -> str:
    return json.dumps(moment.isoformat() if moment else None)
