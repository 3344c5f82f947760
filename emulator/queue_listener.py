"""The queue trigger as the host's listener works: batches, leases, retries, poison, idle backoff.

See docs/graph-facts.md#f30 to #f34, and #f87.
"""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.storage.queue import QueueMessage, QueueServiceClient

from emulator import queue_message
from emulator.host_settings import QueueOptions, resolved
from emulator.runtime import Function, InvocationError, invoke

log = logging.getLogger("host.queue")

_IDLE_SECONDS = 0.1
_POISON_SECONDS = 7 * 24 * 3600
_POISON = "-poison"


def queue_service(connection: str) -> QueueServiceClient:
    """Return the storage behind a binding's ``connection``, found as the host does (docs/graph-facts.md#f37).

    Raises ``KeyError`` where no setting names it.
    """
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
        self._binary = str(function.trigger.get("dataType", "")).lower() == "binary"
        self.running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Receive messages and start functions with them, until stopped."""
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
            while len(self.running) > self._options.new_batch_threshold and not self._stopping:
                self._wake.clear()
                await self._wake.wait()

    def stop(self) -> None:
        """Take no more."""
        self._stopping = True
        self._wake.set()

    def close(self) -> None:
        """Leave behind what still runs: its message comes back when its lease ends."""
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
        self.running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception():
            log.warning("%s: %s", self._name, task.exception())

    async def _handle(self, message: QueueMessage) -> None:
        if self._is_last(message, more=1):
            await self._call(self._poison, message)
            return
        try:
            whole = queue_message.content(message, encoded=self._options.encoded)
        except queue_message.UndecodableError:
            await self._call(self._poison, message)
            return
        data = queue_message.data(whole, binary=self._binary)
        metadata = queue_message.metadata(message, whole, binary=self._binary)
        renewal = asyncio.create_task(self._renew(message))
        try:
            await invoke(self._function, data, metadata)
        except InvocationError as error:
            log.error("%s failed: %s", self._function.name, error)
            await self._call(self._release, message)
        else:
            await self._call(self._delete, message)
        finally:
            renewal.cancel()

    def _is_last(self, message: QueueMessage, more: int = 0) -> bool:
        """Return whether a failed try is the last one. A queue that is named like a poison queue has no last one."""
        tries = message.dequeue_count or 1
        return not self._name.endswith(_POISON) and tries >= self._options.max_dequeue_count + more

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
        if self._is_last(message):
            return self._poison(message)
        if self._name.endswith(_POISON):
            return None  # no poison queue of a poison queue: the message stays hidden until its lease ends
        try:
            self._hide(message, self._options.visibility_seconds)
        except ResourceNotFoundError:
            log.debug("%s: someone else has it", self._name)
        return None

    def _poison(self, message: QueueMessage) -> None:
        if self._name.endswith(_POISON):
            return
        log.warning("%s: a message goes to poison", self._name)
        poison = self._service.get_queue_client(f"{self._name}{_POISON}")
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
