"""Queue messages as the host passes them, turned into what the use cases take."""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

import azure.functions as func  # noqa: TID251 - the queue's triggers use the host's types

from shared.core.basics.trace import read_traceparent
from shared.service.delivery.deliver import Deliver, Delivery
from shared.service.maintenance.poison_queue import ConsumePoison
from shared.service.notices.send import SendNotice

_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class UpdateMessages:
    """The trigger of an update queue: the bulk lane's with ``bulk``."""

    deliver: Deliver
    bulk: bool = False

    def __call__(self, message: func.QueueMessage, *, invocation: str | None = None) -> None:
        """Give an update its turn; ``invocation`` is the ``traceparent`` of the host's span."""
        self.deliver(delivery_of(message, invocation, bulk=self.bulk))


@dataclass(frozen=True)
class PoisonMessages:
    """The trigger of a poison queue: the bulk lane's with ``bulk``."""

    consume: ConsumePoison
    bulk: bool = False

    def __call__(self, message: func.QueueMessage) -> None:
        """Take a message that the host gave up."""
        self.consume(delivery_of(message, None, bulk=self.bulk))


@dataclass(frozen=True)
class NoticeMessages:
    """The triggers of the outbox and of its poison queue.

    Notices are sent on threads of their own: a receiver that hangs takes none from deliveries.
    """

    send: SendNotice
    threads: Executor

    async def __call__(self, message: func.QueueMessage) -> None:
        """Send a notice."""
        await asyncio.get_running_loop().run_in_executor(self.threads, self.send, message.get_body())

    async def poisoned(self, message: func.QueueMessage) -> None:
        """Take a notice that the host gave up."""
        await asyncio.get_running_loop().run_in_executor(self.threads, self.send.poisoned, message.get_body())


def delivery_of(message: func.QueueMessage, invocation: str | None, *, bulk: bool) -> Delivery:
    """Return body, ids and counts; what the host leaves out is that of the first delivery of an old message."""
    return Delivery(
        body=message.get_body(),
        message_id=message.id or "",
        inserted=_aware(message.insertion_time),
        dequeue_count=message.dequeue_count or 1,
        invocation=read_traceparent(invocation),
        bulk=bulk,
    )


def _aware(moment: datetime | None) -> datetime:
    if moment is None:
        return _UNKNOWN_TIME
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
