"""The wired app, watched by the OpenTelemetry SDK, whose exporters keep what they get in memory."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.adapters.telemetry import OpenTelemetry
from shared.settings import Settings
from tests.world import World

QUEUE = "compliance-updates"


class Watched:
    """A world, and what its watchers saw."""

    def __init__(self, settings: Settings) -> None:
        self._spans, self._metrics, self._logs = (
            InMemorySpanExporter(),
            InMemoryMetricReader(),
            InMemoryLogRecordExporter(),
        )
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        meters = MeterProvider([self._metrics], shutdown_on_exit=False)
        loggers = LoggerProvider(shutdown_on_exit=False)
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.handler = LoggingHandler(logger_provider=loggers)
        self.telemetry = OpenTelemetry(tracers, meters, queue=QUEUE, graph_root="https://graph.microsoft.com/beta")
        self.world = World(settings, self.telemetry)

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """The spans that ended, in their order."""
        return [span for span in self._spans.get_finished_spans() if span.name.startswith(name)]

    def metrics(self) -> dict[str, list[Any]]:
        """Data points by metric, since the last look."""
        found = self._metrics.get_metrics_data()
        scopes = [scope for resource in found.resource_metrics for scope in resource.scope_metrics] if found else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def lines(self, body: str = "") -> list[Any]:
        """The log records with this text."""
        return [log.log_record for log in self._logs.get_finished_logs() if str(log.log_record.body).startswith(body)]

    def everything(self) -> str:
        """All of it, as it would go out."""
        found = self._metrics.get_metrics_data()
        logs = [log.to_json() for log in self._logs.get_finished_logs()]
        return "\n".join([*(span.to_json() for span in self.spans()), found.to_json() if found else "", *logs])


@contextmanager
def watched(settings: Settings) -> Iterator[Watched]:
    """A world whose log lines are watched, too."""
    parts, logger = Watched(settings), logging.getLogger("shared")
    level = logger.level
    logger.addHandler(parts.handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield parts
    finally:
        logger.removeHandler(parts.handler)
        logger.setLevel(level)


def trace_ids(spans: list[ReadableSpan]) -> set[str]:
    """The traces that these spans are of."""
    return {f"{span.context.trace_id:032x}" for span in spans}


def context(span: ReadableSpan) -> str:
    """As it travels."""
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


def parent(span: ReadableSpan) -> str | None:
    """The span id of the parent."""
    return f"{span.parent.span_id:016x}" if span.parent else None


def links(span: ReadableSpan) -> list[str]:
    """The contexts that a span is linked with."""
    return [f"00-{link.context.trace_id:032x}-{link.context.span_id:016x}-01" for link in span.links]


def points(metrics: dict[str, list[Any]], name: str) -> list[tuple[dict[str, Any], Any]]:
    """A metric's points: attributes and value (of a histogram: sum)."""
    return [
        (dict(point.attributes), getattr(point, "value", getattr(point, "sum", None)))
        for point in metrics.get(name, [])
    ]
