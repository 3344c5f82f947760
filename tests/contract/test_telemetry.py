"""What telemetry promises the use cases, whoever watches: the fake, OpenTelemetry's SDK, nobody."""

from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider

from shared.adapters.telemetry import OpenTelemetry
from shared.core.basics.trace import Trace, read_traceparent
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import queued, unreadable
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.intake.envelope import Unreadable
from shared.service.ports.graph import GraphCall
from shared.service.ports.storage import Unavailable
from shared.service.ports.telemetry import Gauges, GraphOperation, NoTelemetry, Telemetry
from shared.settings import Settings
from tests.builders import NOW, an_envelope, an_id
from tests.fakes.telemetry import RecordedTelemetry
from tests.watched import Watched

PARENT = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
OTHER = "00-" + "3" * 32 + "-" + "4" * 16 + "-01"
CALL = GraphOperation("PATCH", "/a/{b}")


def sdk() -> Telemetry:
    """The adapter over the SDK."""
    return Watched(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"})).telemetry


def without_sdk() -> Telemetry:
    """The adapter over OpenTelemetry's own do-nothing."""
    return OpenTelemetry(NoOpTracerProvider(), NoOpMeterProvider(), queue="q", graph_root="http://127.0.0.1:1/beta")


WATCHING = [RecordedTelemetry, sdk]
ALL = [*WATCHING, without_sdk, NoTelemetry]


def around(telemetry: Telemetry, name: str, trace: Trace) -> Any:
    """The context of a put or a turn."""
    return telemetry.put(an_id(), trace) if name == "put" else telemetry.turn(an_id(), 2, trace)


@pytest.mark.parametrize("name", ["put", "turn"])
@pytest.mark.parametrize("make", WATCHING)
def test_a_context_is_new_in_its_parents_trace(make: Any, name: str) -> None:
    """Or in a trace of its own."""
    with around(make(), name, Trace(PARENT, (OTHER,))) as child, around(make(), name, Trace()) as root:
        assert (read_traceparent(child), read_traceparent(root)) == (child, root)
        assert child.split("-")[1] == PARENT.split("-")[1]
        assert child != PARENT
        assert root.split("-")[1] not in child


@pytest.mark.parametrize("name", ["put", "turn"])
@pytest.mark.parametrize("make", [without_sdk, NoTelemetry])
def test_where_nobody_watches_the_parent_is_handed_on(make: Any, name: str) -> None:
    """So that whoever comes next can follow it."""
    with around(make(), name, Trace(PARENT, (OTHER,))) as child, around(make(), name, Trace()) as root:
        assert (child, root) == (PARENT, None)


@pytest.mark.parametrize("make", ALL)
def test_what_is_raised_inside_comes_out(make: Any) -> None:
    """As it was."""
    for begun in (make().put(an_id(), Trace()), make().turn(an_id(), 1, Trace(PARENT)), make().call(CALL, [OTHER])):
        with pytest.raises(Unavailable, match="mine"), begun:
            raise Unavailable("mine")


@pytest.mark.parametrize("make", ALL)
def test_whatever_there_is_to_tell_can_be_told(make: Any) -> None:
    """Replies of every kind, outcomes of every kind, in a turn or outside."""
    telemetry: Telemetry = make()
    outcomes = [queued(an_envelope(), NOW), unreadable(Unreadable(an_id(), (), "", None), NOW)]
    for reply in (
        GraphReply(200),
        GraphReply(None),
        GraphReply(404, client_request_id="c", request_id="r"),
        GraphReply(200, judged=ReplyKind.UNREADABLE_SUCCESS),
    ):
        with telemetry.turn(an_id(), 1, Trace()), telemetry.call(CALL, [PARENT]) as answered:
            answered(GraphCall(reply, NOW, 3))
            for outcome in outcomes:
                telemetry.outcome_changed(outcome)
    for outcome in outcomes:
        telemetry.outcome_changed(outcome)
    telemetry.webhook_refused("jamf", "signature")


@pytest.mark.parametrize("make", WATCHING)
def test_whoever_watches_looks_and_what_looking_meets_comes_out(make: Any) -> None:
    """Once a run."""
    looks: list[int] = []

    def look() -> Gauges:
        looks.append(1)
        return Gauges(1, 2.0, 0.5)

    def away() -> Gauges:
        raise Unavailable("queue")

    make().watch(look)
    assert looks == [1]
    with pytest.raises(Unavailable):
        make().watch(away)


def test_where_nobody_watches_nobody_looks() -> None:
    """It costs no storage call."""

    def look() -> Gauges:
        raise AssertionError

    NoTelemetry().watch(look)
