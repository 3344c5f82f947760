"""Spans and metrics by OpenTelemetry's semantic conventions for messaging and HTTP.

Nothing personal: no value of an update, no URL with its ids, no text of an exception; an update is known by its own id.
Imported only where telemetry is on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, TracerProvider, get_current_span, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.core.basics.trace import Trace
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import Outcome, State
from shared.core.delivery.reply_kind import ReplyKind
from shared.service.ports.graph import GraphCall
from shared.service.ports.telemetry import Gauges, GraphOperation

type Attributes = Mapping[str, str | int]

_NAME = "compliance-status-relay"
#: Azure Queue Storage has no name in the conventions' list.
_SYSTEM = "azure.storage.queue"
_PORTS = {"http": 80, "https": 443}
_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30)
_WAITING_SECONDS = (0.5, 1, 2, 5, 10, 20, 60, 120, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
_ATTEMPTS = (0, 1, 2, 3, 5, 8, 13, 21, 50, 100)
_GAUGES = (
    ("relay.queue.length", "{message}", "Queued messages, hidden ones included"),
    ("relay.queue.age", "s", "Since the first visible message was put there"),
    ("relay.quota.share", "1", "Share of the write quota in use"),
)
_PROPAGATOR = TraceContextTextMapPropagator()
_turn: ContextVar[tuple[str, Span] | None] = ContextVar("turn", default=None)


class OpenTelemetry:
    """``Telemetry`` of the service, over whatever SDK the providers belong to."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider, *, queue: str, graph_root: str) -> None:
        self._tracer, self._queue = tracers.get_tracer(_NAME), queue
        root = urlsplit(graph_root)
        self._root = graph_root
        self._server: Attributes = {
            "server.address": root.hostname or "",
            "server.port": root.port or _PORTS.get(root.scheme, 443),
        }
        meter = meters.get_meter(_NAME)
        self._updates = meter.create_counter("relay.updates", "{update}", "Updates that became final")
        self._refusals = meter.create_counter(
            "relay.webhook.refusals", "{request}", "Requests of webhooks that were refused"
        )
        self._sights: dict[str, float] = {}
        for gauge, unit, description in _GAUGES:
            meter.create_observable_gauge(gauge, [partial(self._seen, gauge)], unit, description)
        self._attempts = meter.create_histogram(
            "relay.update.attempts",
            "{call}",
            "Graph calls of a final update",
            explicit_bucket_boundaries_advisory=_ATTEMPTS,
        )
        self._waiting = meter.create_histogram(
            "relay.update.waiting",
            "s",
            "From acceptance to the final status",
            explicit_bucket_boundaries_advisory=_WAITING_SECONDS,
        )
        self._calls = meter.create_histogram(
            "relay.graph.duration", "s", "Graph calls", explicit_bucket_boundaries_advisory=_CALL_SECONDS
        )

    @contextmanager
    def put(self, update_id: str, trace: Trace, /) -> Iterator[str | None]:
        """Yield the context of a new producer span, for the message to carry."""
        with self._message("send", SpanKind.PRODUCER, trace, update_id) as span:
            yield _traceparent(span)

    @contextmanager
    def turn(self, update_id: str, attempt: int, trace: Trace, /) -> Iterator[str | None]:
        """Yield the context of a new consumer span, a child of what the message carries."""
        with self._message("process", SpanKind.CONSUMER, trace, update_id) as span:
            span.set_attribute("relay.update.attempt", attempt)
            token = _turn.set((update_id, span))
            try:
                yield _traceparent(span)
            finally:
                _turn.reset(token)

    @contextmanager
    def call(self, call: GraphOperation, carried: Iterable[str], /) -> Iterator[Callable[[GraphCall], None]]:
        """Open a client span inside the turn's, linked with the other updates that it serves; yield what ends it."""
        request: Attributes = {"http.request.method": call.method, "url.template": call.template, **self._server}
        # The template stands in the place of a URL that would hold ids; Application Insights shows it as the name.
        known = {**request, "url.full": self._root + call.template}
        name = f"{call.method} {call.template}"
        with self._span(name, SpanKind.CLIENT, None, carried, known) as span:
            yield lambda answer: self._answered(span, request, answer)

    def outcome_changed(self, outcome: Outcome, /) -> None:
        """Count a final outcome, its attempts and its waiting time (s); mark the turn's span with its status."""
        code = _code(outcome)
        turn = _turn.get()
        if turn is not None and turn[0] == outcome.id:
            _end(turn[1], outcome, code)
        if not outcome.state.final:
            return
        status: Attributes = {"status": outcome.state.status}
        self._updates.add(1, {**status, "error.code": code} if code else status)
        self._attempts.record(outcome.attempt_count, status)
        self._waiting.record(max(0.0, (outcome.last_action - outcome.created).total_seconds()), status)

    def webhook_refused(self, source: str, reason: str, /) -> None:
        """Count it by source and reason."""
        self._refusals.add(1, {"relay.webhook.source": source, "relay.webhook.reason": str(reason)})

    def watch(self, look: Callable[[], Gauges], /) -> None:
        """Read the gauges, to be exported once: next time another instance may read them instead of this one."""
        sight = look()
        values = (sight.queue_length, sight.queue_age_seconds, sight.quota_share)
        self._sights = {gauge: value for (gauge, *_), value in zip(_GAUGES, values, strict=True)}

    def _seen(self, gauge: str, _options: CallbackOptions) -> list[Observation]:
        value = self._sights.pop(gauge, None)
        return [] if value is None else [Observation(value)]

    @contextmanager
    def _message(self, operation: str, kind: SpanKind, trace: Trace, update_id: str) -> Iterator[Span]:
        attributes: Attributes = {
            "messaging.system": _SYSTEM,
            "messaging.destination.name": self._queue,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.message.id": update_id,
            "relay.update.id": update_id,  # Application Insights drops what begins with messaging
        }
        parent = _context(trace.parent) if trace.parent else Context()
        with self._span(f"{operation} {self._queue}", kind, parent, trace.links, attributes) as span:
            yield span

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, parent: Context | None, links: Iterable[str], attributes: Attributes
    ) -> Iterator[Span]:
        span = self._tracer.start_span(name, parent, kind, attributes, [_link(link) for link in links])
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield span
            except Exception as error:  # the boundary: its name goes out, its words stay here
                _fail(span, type(error).__name__)
                raise

    def _answered(self, span: Span, request: Attributes, answer: GraphCall) -> None:
        reply = answer.reply
        ended: dict[str, str | int] = {}
        if reply.status_code is not None:
            ended["http.response.status_code"] = reply.status_code
        fault = _fault(reply)
        if fault is not None:
            ended["error.type"] = fault
            _fail(span, fault)
        span.set_attributes({**ended, **_request_ids(reply)})
        self._calls.record(answer.duration_milliseconds / 1000, {**request, **ended})


def _context(traceparent: str) -> Context:
    return _PROPAGATOR.extract({"traceparent": traceparent}, Context())


def _link(traceparent: str) -> Link:
    return Link(get_current_span(_context(traceparent)).get_span_context())


def _traceparent(span: Span) -> str | None:
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _fail(span: Span, fault: str) -> None:
    span.set_attribute("error.type", fault)
    span.set_status(Status(StatusCode.ERROR))


def _end(span: Span, outcome: Outcome, code: str | None) -> None:
    span.set_attribute("relay.update.status", outcome.state.status)
    if outcome.state.detail:
        span.set_attribute("relay.update.status_detail", outcome.state.detail)
    if code:
        span.set_attribute("error.type", code)
    if outcome.state is State.FAILED:
        span.set_status(Status(StatusCode.ERROR))


def _code(outcome: Outcome) -> str | None:
    return str(outcome.error["code"]) if outcome.error else None


def _fault(reply: GraphReply) -> str | None:
    if reply.transport is not None:
        return reply.transport.value
    if reply.status_code is None or reply.kind in (ReplyKind.UNREADABLE_SUCCESS, ReplyKind.ERROR_IN_SUCCESS):
        return "unreadable"
    return str(reply.status_code) if reply.status_code >= 400 else None  # noqa: PLR2004 - an error by the conventions


def _request_ids(reply: GraphReply) -> dict[str, tuple[str]]:
    """Return the attributes that Microsoft's support asks for (docs/graph-facts.md#f12)."""
    headers = {
        "http.request.header.client-request-id": reply.client_request_id,
        "http.response.header.request-id": reply.request_id,
    }
    return {name: (text,) for name, text in headers.items() if text}
