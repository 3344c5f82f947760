"""Telemetry that records."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shared.core.basics.trace import Trace
from shared.core.delivery.outcome import Outcome
from shared.service.ports.graph import GraphCall
from shared.service.ports.telemetry import Gauges, GraphOperation


@dataclass
class Span:
    name: str
    update_id: str
    trace: Trace
    context: str


class RecordedTelemetry:
    """What was told; contexts count up, each in the trace of its parent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.calls: list[tuple[GraphOperation, tuple[str, ...], GraphCall]] = []
        self.outcomes: list[Outcome] = []
        self.sights: list[Gauges] = []
        self.refusals: list[tuple[str, str]] = []
        self._count = itertools.count(1)

    def put(self, update_id: str, trace: Trace, /) -> Any:
        return self._span("put", update_id, trace)

    def turn(self, update_id: str, attempt: int, trace: Trace, /) -> Any:
        return self._span(f"turn {attempt}", update_id, trace)

    @contextmanager
    def call(self, call: GraphOperation, carried: Iterable[str], /) -> Iterator[Callable[[GraphCall], None]]:
        links = tuple(carried)
        yield lambda answer: self.calls.append((call, links, answer))

    def outcome_changed(self, outcome: Outcome, /) -> None:
        self.outcomes.append(outcome)

    def webhook_refused(self, source: str, reason: str, /) -> None:
        self.refusals.append((source, reason))

    def watch(self, look: Callable[[], Gauges], /) -> None:
        self.sights.append(look())

    @contextmanager
    def _span(self, name: str, update_id: str, trace: Trace) -> Iterator[str]:
        number = next(self._count)
        trace_id = trace.parent.split("-")[1] if trace.parent else f"{number:032x}"
        context = f"00-{trace_id}-{number:016x}-01"
        self.spans.append(Span(name, update_id, trace, context))
        yield context
