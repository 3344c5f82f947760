"""Priorities by HTTP: batches are bulk, everything else is normal, unless it says otherwise; lists filter by them."""

import json
from typing import Any

import pytest

from shared.service.ports.storage import Unavailable
from tests.builders import a_message
from tests.web.caller import ask, post, problem
from tests.world import World


def batch(world: World, **members: Any) -> dict[str, Any]:
    """POST a batch of two: one item says normal, the other nothing."""
    items = [a_message(deviceComplianceUserStatusId="urgent", priority="normal"), a_message()]
    response, body = ask(world.relay.batch.post_batch, "POST", {"updates": items, **members})
    assert response.status_code == 202, body
    return {name: world.resource(item["id"]) for name, item in zip(("urgent", "plain"), body["value"], strict=True)}


def test_items_of_a_batch_are_bulk_unless_they_say_otherwise(world: World) -> None:
    """Each is on the queue of its lane."""
    made = batch(world)
    assert (made["urgent"]["priority"], made["plain"]["priority"]) == ("normal", "bulk")
    assert [message["id"] for message in world.queue.documents()] == [made["urgent"]["id"]]
    assert [message["id"] for message in world.bulk_queue.documents()] == [made["plain"]["id"]]


def test_a_batch_says_the_priority_of_those_items_that_do_not(world: World) -> None:
    """Of the whole batch at once."""
    assert batch(world, priority="normal")["plain"]["priority"] == "normal"
    assert not world.bulk_queue.messages


@pytest.mark.parametrize("body", [{"priority": "urgent"}, {"priority": 1}])
def test_an_unknown_priority_is_a_fault(world: World, body: dict[str, Any]) -> None:
    """Of a message and of a batch."""
    response, answer = ask(world.relay.batch.post_batch, "POST", {"updates": [a_message()], **body})
    assert problem(response) == (400, "invalidMessage")
    assert [fault["pointer"] for fault in answer["errors"]] == ["/priority"]
    assert problem(post(world, a_message(**body))[0]) == (400, "invalidMessage")


def test_a_post_is_normal_unless_it_says_otherwise(world: World) -> None:
    """A bulk one waits on the bulk lane's queue."""
    assert post(world, a_message())[1]["priority"] == "normal"
    assert post(world, a_message(priority="bulk"))[1]["priority"] == "bulk"
    assert (len(world.queue.messages), len(world.bulk_queue.messages)) == (1, 1)


def test_lists_and_replays_are_filtered_by_priority(world: World) -> None:
    """Messages that cannot be read are normal."""
    made = batch(world)
    world.queue.put("nonsense")
    world.run()
    for priority, count in (("normal", 2), ("bulk", 1)):
        _, page = ask(world.relay.updates.list_updates, params={"priority": priority})
        assert [update["priority"] for update in page["value"]] == [priority] * count
    assert page["value"][0]["id"] == made["plain"]["id"]
    assert problem(ask(world.relay.updates.list_updates, params={"priority": "slow"})[0]) == (400, "invalidQuery")


def test_the_bulk_queue_that_is_away_stops_batches_alone(world: World) -> None:
    """503 for the batch; single posts go on."""

    def away(*_: Any) -> None:
        raise Unavailable("queue")

    world.bulk_queue.put = away  # type: ignore[method-assign]
    response, _ = ask(world.relay.batch.post_batch, "POST", {"updates": [a_message()]})
    assert problem(response) == (503, "storageUnavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert post(world, a_message())[0].status_code == 202


def test_a_replay_keeps_the_lane(world: World) -> None:
    """As the message says."""
    made = batch(world)["plain"]
    ask(world.relay.updates.cancel_update, "POST", route_params={"id": made["id"]})
    world.bulk_queue.messages.clear()
    response, _ = ask(world.relay.updates.replay_update, "POST", route_params={"id": made["id"]})
    assert response.status_code == 202
    assert [json.loads(message.text)["replayOf"] for message in world.bulk_queue.messages] == [made["id"]]
