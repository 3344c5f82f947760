"""Metrics and log lines; nothing personal goes out, whatever fails."""

import json
import traceback
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.reply_kind import ReplyKind
from shared.service.delivery.deliver import Delivery
from shared.service.redacted_errors import RedactedError
from tests.builders import USER, a_message
from tests.watched import Watched, points, trace_ids
from tests.web.caller import post
from tests.world import World


def test_final_updates_are_counted_by_status_and_code_with_attempts_and_waiting_time(seen: Watched) -> None:
    """Once each, when they become final; waiting ones are not counted."""
    seen.world.graph.replies = [GraphReply(503, retry_after_seconds=30.0), GraphReply(200), GraphReply(404)]
    seen.world.accept()
    seen.world.deliver_next()
    assert "relay.updates" not in seen.metrics()
    seen.world.run()
    seen.world.accept(deviceComplianceUserStatusId="other")
    seen.world.run()
    seen.world.queue.put("nonsense")
    seen.world.run()
    canceled = seen.world.accept(deviceComplianceUserStatusId="third")
    seen.world.relay.updates.cancel(canceled)
    seen.world.run()

    metrics = seen.metrics()
    assert sorted(points(metrics, "relay.updates"), key=str) == sorted(
        [
            ({"status": "succeeded"}, 1),
            ({"status": "failed", "error.code": "graphRejected"}, 1),
            ({"status": "failed", "error.code": "invalidMessage"}, 1),
            ({"status": "canceled"}, 1),
        ],
        key=str,
    )
    assert ({"status": "succeeded"}, 2) in points(metrics, "relay.update.attempts")
    ((_, waited),) = [point for point in points(metrics, "relay.update.waiting") if point[0] == {"status": "succeeded"}]
    assert 30 <= waited <= 32


def test_graph_calls_are_timed_with_their_ends(seen: Watched) -> None:
    """By status or fault, in seconds."""
    seen.world.graph.replies = [
        GraphReply(None, TransportFault.DISCONNECTED),
        GraphReply(200, judged=ReplyKind.UNREADABLE_SUCCESS),
    ]
    seen.world.accept()
    seen.world.run()

    found = points(seen.metrics(), "relay.graph.duration")
    ends = {(attributes.get("http.response.status_code"), attributes.get("error.type")) for attributes, _ in found}
    assert ends == {(None, "disconnected"), (200, "unreadable"), (200, None)}
    assert all(
        attributes["server.address"] == "graph.microsoft.com" and attributes["http.request.method"] == "PATCH"
        for attributes, _ in found
    )
    assert sum(value for _, value in found) == pytest.approx(0.021)


def test_the_timer_tells_the_queue_and_the_quota(seen: Watched) -> None:
    """As they are now."""
    seen.world.accept()
    seen.world.run()
    seen.world.accept(deviceComplianceUserStatusId="other")
    seen.world.clock.step(seconds=12)

    seen.world.relay.publish_gauges()

    metrics = seen.metrics()
    assert points(metrics, "relay.queue.length") == [({}, 1)]
    assert points(metrics, "relay.queue.age") == [({}, 12.0)]
    assert points(metrics, "relay.quota.share") == [({}, 0.01)]
    assert "relay.queue.length" not in seen.metrics()


def test_log_lines_of_an_update_name_it_and_its_trace(seen: Watched) -> None:
    """Whatever the app says about an update."""
    seen.world.graph.replies = [GraphReply(503), GraphReply(401), GraphReply(401)]
    update_id = seen.world.accept()
    seen.world.run()

    lines = seen.lines()
    assert {line.body for line in lines} == {"graph answered", "waiting", "delivered"}
    assert {line.attributes["update_id"] for line in lines} == {update_id}
    assert {f"{line.trace_id:032x}" for line in lines} == trace_ids(seen.spans())
    (record, *_) = seen.lines("graph answered")
    assert record.attributes == {"update_id": update_id, "status_code": 503, "duration_ms": 7}


def test_a_turn_that_raises_ends_its_span_with_the_names_of_what_was_raised(seen: Watched) -> None:
    """Not its words."""

    def broken(_properties: Any) -> bool:
        raise RuntimeError(USER)

    seen.world.graph.refuse = broken
    seen.world.accept()
    with pytest.raises(RedactedError, match="RuntimeError"):
        seen.world.deliver_next()

    for span in (*seen.spans("PATCH"), *seen.spans("process")):
        assert span.status.status_code is StatusCode.ERROR
        assert span.attributes["error.type"] == "RuntimeError"
        assert not span.events


MARKS = {
    "userDisplayName": "Marked Display Name",
    "userPrincipalName": "marked.upn@example.com",
    "devicesCount": 987654321,
    "status": "nonCompliant",
    "lastReportedDateTime": "2026-11-23T20:29:00.7654321Z",
}
MARKED_ID = "marked-user-status-id"
SECRETS = [*map(str, MARKS.values()), MARKED_ID, "marked-words", "marked-key", "marked.upn"]
REPLIES = [
    GraphReply(503, code="marked-words", message="marked-words about marked.upn@example.com"),
    GraphReply(403),
    GraphReply(401),
    GraphReply(401),
    GraphReply(429, retry_after_seconds=1.0),
    GraphReply(None, TransportFault.TIMEOUT),
    GraphReply(200, judged=ReplyKind.UNREADABLE_SUCCESS),
    GraphReply(400, code="marked-words", message="marked-words", judged=ReplyKind.ROUTE_MISSING),
    GraphReply(404, message="marked-words"),
]


def consume_poison(world: World, *bodies: str) -> None:
    """Consume these messages from the poison queue, ten minutes apart."""
    for body in bodies:
        world.clock.step(minutes=10)
        world.relay.consume_poison(Delivery(body.encode(), "p", world.clock.now(), 1))


def test_nothing_personal_goes_out_whatever_fails(seen: Watched) -> None:
    """Spans, metrics and log lines, extras and exceptions too, after every failure there is a way to have."""
    world = seen.world
    update = {"userStatus": MARKS, "deviceComplianceUserStatusId": MARKED_ID}

    def broken(*_: Any) -> Any:
        raise KeyError(" ".join(SECRETS))

    for reply in REPLIES:
        world.graph.replies = [reply]
        post(world, a_message(**update))
        world.run()
    post(world, a_message(**update, idempotencyKey="marked-key"))
    post(world, a_message(**update, idempotencyKey="marked-key") | {"userStatus": MARKS | {"devicesCount": 1}})
    world.queue.put(json.dumps(a_message(userStatus=MARKS | {"status": "marked-words"})))
    world.queue.put(
        json.dumps(a_message(userPrincipalName=MARKS["userPrincipalName"], deviceComplianceUserStatusId=None))
    )
    world.identity.fault = "no token"
    for _ in range(3):
        world.deliver_next()
    world.identity.fault = None
    world.graph.refuse = broken
    with pytest.raises(RedactedError, match="KeyError") as raised:
        world.run()
    stuck = world.queue.messages[-1].text
    again = json.dumps(json.loads(stuck) | {"poisoned": 3})
    consume_poison(world, stuck, again, json.dumps(a_message(**update)), "marked-words")
    world.randomness.bits = broken  # type: ignore[method-assign]
    response, _ = post(world, a_message(**update))
    world.relay.publish_gauges()

    assert response.status_code == 500
    assert seen.lines("unexpected")
    assert seen.lines("poisoned")
    assert len(seen.spans()) > 40
    found = seen.everything() + "".join(traceback.format_exception(raised.value))
    assert "KeyError" in found
    assert [secret for secret in SECRETS if secret in found] == []
