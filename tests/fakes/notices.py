"""A receiver of outcome notices in memory."""

from collections.abc import Mapping
from typing import Any

from shared.service.ports.notices import Receipt, Taken


class RecordedReceiver:
    """Answers what a test scripts, then takes everything."""

    def __init__(self) -> None:
        self.replies: list[Receipt] = []
        self.attempts = 0
        self.events: list[Mapping[str, Any]] = []

    def send(self, event: Mapping[str, Any]) -> Receipt:
        self.attempts += 1
        reply = self.replies.pop(0) if self.replies else Taken()
        if isinstance(reply, Taken):
            self.events.append(event)
        return reply
