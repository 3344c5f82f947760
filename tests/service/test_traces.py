"""One trace an update: from the request, over the queue and its retries, to Graph."""

import json

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from shared.core.basics.trace import Origin
from shared.core.delivery.graph_reply import GraphReply
from shared.service.delivery.deliver import Delivery
from shared.service.delivery.write import PATCH
from tests.builders import a_message, an_update, reported
from tests.watched import QUEUE, Watched, context, links, parent, trace_ids
from tests.web.caller import ask, post

SENDER = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
CALLER = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
INVOCATION = "00-" + "a" * 32 + "-" + "c" * 16 + "-01"
HOST = "00-" + "d" * 32 + "-" + "e" * 16 + "-01"


def test_the_retry_of_an_update_is_one_connected_trace_from_the_request_to_graph(seen: Watched) -> None:
    """Request, queue, 503, wait, queue, 200: one trace id, and every parent is there."""
    seen.world.graph.replies = [GraphReply(503, retry_after_seconds=30.0, client_request_id="c-1", request_id="r-1")]

    response, body = post(seen.world, a_message(), traceparent=CALLER)
    seen.world.run()

    assert response.status_code == 202
    (send,), turns, calls = seen.spans("send"), seen.spans("process"), seen.spans("PATCH")
    assert trace_ids(seen.spans()) == {CALLER.split("-")[1]}
    assert parent(send) == CALLER.split("-")[2]
    assert [parent(turn) for turn in turns] == [f"{send.context.span_id:016x}"] * 2
    assert [parent(call) for call in calls] == [f"{turn.context.span_id:016x}" for turn in turns]
    assert {span.attributes["messaging.message.id"] for span in (send, *turns)} == {body["id"]}
    assert [turn.attributes["relay.update.attempt"] for turn in turns] == [1, 2]
    assert [turn.attributes["relay.update.status"] for turn in turns] == ["running", "succeeded"]
    assert [turn.attributes.get("error.type") for turn in turns] == ["graphUnavailable", None]


def test_spans_are_named_and_described_by_the_semantic_conventions(seen: Watched) -> None:
    """Messaging and HTTP; ids of a user status stand in no URL."""
    seen.world.graph.replies = [GraphReply(503, client_request_id="c-1", request_id="r-1")]
    update_id = seen.world.accept()

    seen.world.deliver_next()

    call, turn, send = seen.spans("PATCH")[0], seen.spans("process")[0], seen.spans("send")[0]
    assert (send.name, send.kind) == (f"send {QUEUE}", SpanKind.PRODUCER)
    assert (turn.name, turn.kind) == (f"process {QUEUE}", SpanKind.CONSUMER)
    assert (call.name, call.kind) == (f"PATCH {PATCH.template}", SpanKind.CLIENT)
    assert dict(send.attributes) == {
        "messaging.system": "azure.storage.queue",
        "messaging.destination.name": QUEUE,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.message.id": update_id,
        "relay.update.id": update_id,
    }
    assert turn.attributes["messaging.operation.type"] == "process"
    assert dict(call.attributes) == {
        "http.request.method": "PATCH",
        "url.template": PATCH.template,
        "http.response.status_code": 503,
        "url.full": f"https://graph.microsoft.com/beta{PATCH.template}",
        "error.type": "503",
        "server.address": "graph.microsoft.com",
        "server.port": 443,
        "http.request.header.client-request-id": ("c-1",),
        "http.response.header.request-id": ("r-1",),
    }
    assert call.status.status_code is StatusCode.ERROR
    assert turn.status.status_code is StatusCode.UNSET


def test_a_request_without_a_context_joins_the_trace_that_the_host_began(seen: Watched) -> None:
    """So host and worker tell one story; a body's own context goes first, and the host's is linked."""
    handler = seen.world.relay.updates.post_update
    for body in (a_message(), a_message(traceparent=SENDER)):
        ask(lambda request: handler(request, invocation=HOST), "POST", body)

    plain, traced = seen.spans("send")
    assert (parent(plain), links(plain)) == (HOST.split("-")[2], [])
    assert (parent(traced), links(traced)) == (SENDER.split("-")[2], [HOST])
    assert {document["update"].get("traceparent") for document in seen.world.queue.documents()} == {None, SENDER}


def test_the_callers_header_is_followed_by_way_of_the_hosts_invocation(seen: Watched) -> None:
    """And the message's own context is linked."""
    seen.world.relay.updates.accept(an_update(traceparent=SENDER), origin=Origin(CALLER, INVOCATION))

    (send,) = seen.spans("send")
    assert (parent(send), links(send)) == (INVOCATION.split("-")[2], [SENDER])


def test_a_batch_and_a_replay_are_traced_as_well(seen: Watched) -> None:
    """A producer span for each message; a replay goes on where the update was."""
    batches, api = seen.world.relay.batch, seen.world.relay.updates
    seen.world.graph.replies = [GraphReply(404), GraphReply(404)]
    body = {"updates": [a_message(), a_message(deviceComplianceUserStatusId="other", traceparent=SENDER)]}
    _, answer = ask(lambda request: batches.post_batch(request, invocation=HOST), "POST", body)
    seen.world.run()
    first, second = (update["id"] for update in answer["value"])
    _, replayed = ask(
        lambda request: api.replay_update(request, invocation=INVOCATION), "POST", route_params={"id": first}
    )

    sent = {span.attributes["messaging.message.id"]: span for span in seen.spans("send")}
    assert (parent(sent[first]), links(sent[first])) == (HOST.split("-")[2], [])
    assert (parent(sent[second]), links(sent[second])) == (SENDER.split("-")[2], [HOST])
    replay = sent[replayed["id"]]
    assert (parent(replay), links(replay)) == (f"{sent[first].context.span_id:016x}", [INVOCATION])


def test_a_foreign_message_follows_its_senders_trace_over_all_its_turns(seen: Watched) -> None:
    """And each is linked with the host's own span, which the queue has cut off from it."""
    seen.world.graph.replies = [GraphReply(503)]
    seen.world.queue.put(json.dumps(a_message(traceparent=SENDER)))

    message = seen.world.queue.receive()
    assert message is not None
    seen.world.relay.deliver(Delivery(message.text.encode(), "m", message.inserted, 1, invocation=HOST))
    seen.world.queue.delete(message)
    seen.world.run()

    turns = seen.spans("process")
    assert [parent(turn) for turn in turns] == [SENDER.split("-")[2]] * 2
    assert [links(turn) for turn in turns] == [[HOST], []]
    assert trace_ids(seen.spans()) == {SENDER.split("-")[1]}


@pytest.mark.parametrize("again", [False, True])
def test_a_foreign_message_without_a_trace_begins_one_that_its_retries_go_on_with(seen: Watched, again: bool) -> None:
    """Also where its first turn only puts the enveloped copy on the queue."""
    seen.world.graph.replies = [GraphReply(503)]
    seen.world.queue.put(json.dumps(a_message()))
    if again:
        seen.world.queue.messages[0].dequeue_count = 1
    seen.world.run()

    turns = seen.spans("process")
    assert len(turns) == 2 + again
    assert len(trace_ids(seen.spans())) == 1
    assert [parent(turn) for turn in turns[1:]] == [f"{turns[0].context.span_id:016x}"] * (1 + again)


def test_an_overdue_update_that_is_put_back_goes_on_with_its_trace(seen: Watched) -> None:
    """Its context is kept with its outcome."""
    seen.world.accept()
    seen.world.queue.messages.clear()
    seen.world.clock.step(minutes=16)
    assert seen.world.relay.reconcile() == 1

    seen.world.run()

    assert len(trace_ids(seen.spans())) == 1
    line, _ = seen.lines("overdue")
    assert line.attributes["update_id"] == seen.spans("send")[0].attributes["messaging.message.id"]


def test_a_write_is_linked_with_the_updates_whose_values_it_carries(seen: Watched) -> None:
    """Conflation: one PATCH, two traces."""
    seen.world.accept(userStatus=reported("10:00:00", devicesCount=1))
    newer = seen.world.accept(userStatus=reported("11:00:00", devicesCount=2))

    seen.world.run()

    (call,) = seen.spans("PATCH")
    first, second = seen.spans("send")
    assert second.attributes["messaging.message.id"] == newer
    assert trace_ids([call]) == trace_ids([first])
    assert links(call) == [context(second)]
