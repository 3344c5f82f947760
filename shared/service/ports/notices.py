"""Who receives outcome notices, as the use cases need them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Taken:
    """The receiver has the notice."""


@dataclass(frozen=True)
class Gone:
    """The receiver wants no notices any more."""


@dataclass(frozen=True)
class NotTaken:
    """Another attempt may succeed; ``reason`` holds no secret and no personal data."""

    reason: str


type Receipt = Taken | Gone | NotTaken


class NoticeReceiver(Protocol):
    """One destination of notices; every failure is a value."""

    def send(self, event: Mapping[str, Any]) -> Receipt:
        """Send a structured CloudEvents event, within a fixed time."""
        ...
