"""The update queue in memory."""

import itertools
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.service.delivery.deliver import Delivery
from shared.service.ports.storage import (
    QueueHead,
)
from tests.fakes.runtime import SteppedClock


@dataclass
class Message:
    text: str
    visible: datetime
    inserted: datetime
    number: int
    dequeue_count: int = 0
    bulk: bool = False

    def delivery(self) -> Delivery:
        return Delivery(self.text.encode(), f"message-{self.number}", self.inserted, self.dequeue_count, bulk=self.bulk)


class MemoryQueue:
    """A queue whose messages hide for a while when they are received, as the host does it."""

    def __init__(self, clock: SteppedClock, *, bulk: bool = False) -> None:
        self.clock, self.bulk = clock, bulk
        self.messages: list[Message] = []
        self._count = itertools.count(1)

    def put(self, text: str, delay: timedelta = timedelta(0)) -> None:
        now = self.clock.now()
        self.messages.append(Message(text, now + max(delay, timedelta(0)), now, next(self._count), bulk=self.bulk))

    def head(self) -> QueueHead:
        now = self.clock.now()
        visible = [message.inserted for message in self.messages if message.visible <= now]
        return QueueHead(len(self.messages), min(visible, default=None))

    def touch(self) -> None:
        pass

    def receive(self) -> Message | None:
        """The next visible message, hidden for ten minutes (docs/graph-facts.md#f32)."""
        now = self.clock.now()
        for message in sorted(self.messages, key=lambda message: message.visible):
            if message.visible <= now:
                message.visible, message.dequeue_count = now + timedelta(minutes=10), message.dequeue_count + 1
                return message
        return None

    def delete(self, message: Message) -> None:
        self.messages.remove(message)

    def documents(self) -> list[Any]:
        return [json.loads(message.text) for message in self.messages]

    def updates(self) -> list[Any]:
        """The envelopes of all messages, those in bundles too."""
        return [item for document in self.documents() for item in document.get("bundle", [document])]
