"""What the use cases report to those who watch the relay; nothing of it is personal, and nothing of it can fail them.

A span's context travels as W3C ``traceparent`` text: with a message, and with its outcome.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from shared.core.basics.trace import Trace
from shared.core.delivery.outcome import Outcome
from shared.service.ports.graph import GraphCall


@dataclass(frozen=True)
class GraphOperation:
    """A Graph call as it may be reported: ``template`` is its path with the names of ids in their place (RFC 6570)."""

    method: str
    template: str


@dataclass(frozen=True)
class Gauges:
    """How things stand: queued messages, seconds since the first visible one was put there, share of the quota used."""

    queue_length: int
    queue_age_seconds: float
    quota_share: float


class Telemetry(Protocol):
    """Traces and metrics. No method raises anything but what is raised inside its context."""

    def put(self, update_id: str, trace: Trace, /) -> AbstractContextManager[str | None]:
        """Around putting an update's message on the queue: the context for the message to carry, if any."""
        ...

    def turn(self, update_id: str, attempt: int, trace: Trace, /) -> AbstractContextManager[str | None]:
        """Around an update's turn: its context, for what it leads to."""
        ...

    def call(
        self, call: GraphOperation, carried: Iterable[str], /
    ) -> AbstractContextManager[Callable[[GraphCall], None]]:
        """Around a Graph call; ``carried`` are contexts of updates that it serves besides the turn's own.

        What it gives takes the answer.
        """
        ...

    def outcome_changed(self, outcome: Outcome, /) -> None:
        """An outcome was made or changed."""
        ...

    def webhook_refused(self, source: str, reason: str, /) -> None:
        """A webhook's request was refused; ``source`` is ``*`` where it is not configured."""
        ...

    def watch(self, look: Callable[[], Gauges], /) -> None:
        """Look, if anyone wants to know, and tell."""
        ...


class NoTelemetry:
    """Nobody watches; contexts are handed on as they came."""

    def put(self, _update_id: str, trace: Trace, /) -> AbstractContextManager[str | None]:
        """No span."""
        return nullcontext(trace.parent)

    def turn(self, _update_id: str, _attempt: int, trace: Trace, /) -> AbstractContextManager[str | None]:
        """No span."""
        return nullcontext(trace.parent)

    def call(
        self, _call: GraphOperation, _carried: Iterable[str], /
    ) -> AbstractContextManager[Callable[[GraphCall], None]]:
        """No span."""
        return nullcontext(_ignored)

    def outcome_changed(self, _outcome: Outcome, /) -> None:
        """Not counted."""

    def webhook_refused(self, _source: str, _reason: str, /) -> None:
        """Not counted."""

    def watch(self, _look: Callable[[], Gauges], /) -> None:
        """Nothing is looked at, so it costs no storage call."""


def _ignored(_answer: GraphCall) -> None: ...
