"""Batches: a verdict for each, and what one meets is no matter of the others."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest

from shared.service.ports.storage import Unavailable
from tests.builders import a_message
from tests.web.caller import ask, post, problem
from tests.world import World


def batch(world: World, body: Any, **headers: str) -> tuple[func.HttpResponse, Any]:
    """POST a batch."""
    return ask(world.relay.batch.post_batch, "POST", body, headers={n.replace("_", "-"): t for n, t in headers.items()})


def users(count: int) -> list[dict[str, Any]]:
    """Updates of that many users."""
    return [a_message(deviceComplianceUserStatusId=f"user-{n}") for n in range(count)]


def test_a_batch_is_accepted_in_order(world: World) -> None:
    """Each gets an id, and is delivered."""
    response, body = batch(world, {"updates": users(250)})

    assert response.status_code == 202
    assert [entry["index"] for entry in body["value"]] == list(range(250))
    assert {entry["status"] for entry in body["value"]} == {"notStarted"}
    assert len(world.bulk_queue.updates()) == 250
    world.run(300)
    assert {world.outcome(entry["id"]).state.status for entry in body["value"]} == {"succeeded"}


def test_valid_items_are_accepted_even_where_others_are_not(world: World) -> None:
    """The others say why."""
    good = users(2)
    response, body = batch(world, {"updates": [good[0], {"userStatus": {"status": "x"}}, 7, good[1]]})

    assert response.status_code == 202
    assert [set(entry) for entry in body["value"]] == [
        {"index", "id", "status"},
        {"index", "error"},
        {"index", "error"},
        {"index", "id", "status"},
    ]
    error = body["value"][1]["error"]
    assert error["code"] == "invalidMessage"
    assert "/userStatus/status" in {fault["pointer"] for fault in error["errors"]}
    assert len(world.bulk_queue.updates()) == 2


def test_a_batch_without_a_valid_item_is_refused_with_all_its_faults(world: World) -> None:
    """Their pointers lead through the body."""
    response, body = batch(world, {"updates": [{}, a_message(deviceCompliancePolicyId="x")]})

    assert problem(response) == (400, "invalidMessage")
    pointers = {fault["pointer"] for fault in body["errors"]}
    assert {"/updates/0/userStatus", "/updates/1/deviceCompliancePolicyId"} <= pointers
    assert not world.bulk_queue.messages


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({}, 400),
        ({"updates": []}, 400),
        ({"updates": {}}, 400),
        ({"updates": [1], "more": 1}, 400),
        ({"updates": [{}] * 1001}, 400),
        (b"{" + b" " * 1_048_576, 413),
        (b"nonsense", 400),
        ("text", 400),
    ],
)
def test_what_is_no_batch_is_refused(world: World, body: Any, status: int) -> None:
    """1 to 1000 items, at most 1 MiB."""
    response, _ = batch(world, body)
    assert problem(response)[0] == status


def test_a_thousand_items_are_taken(world: World) -> None:
    """The documented bound."""
    response, body = batch(world, {"updates": users(1000)})
    assert response.status_code == 202
    assert len({entry["id"] for entry in body["value"]}) == 1000


def test_a_repeated_batch_under_a_key_makes_no_second_updates(world: World) -> None:
    """Each item has the key and its index; its own key wins."""
    updates = [*users(3), a_message(deviceComplianceUserStatusId="own", idempotencyKey="mine")]

    _, first = batch(world, {"updates": updates}, Idempotency_Key="nightly")
    _, second = batch(world, {"updates": updates}, Idempotency_Key="nightly")
    _, alone = post(world, updates[3])

    assert [entry["id"] for entry in first["value"]] == [entry["id"] for entry in second["value"]]
    assert alone["id"] == first["value"][3]["id"]
    assert len(world.bulk_queue.updates()) == 4


def test_repeats_in_one_batch_make_one_update(world: World) -> None:
    """And a tampered one is told apart."""
    same, other = a_message(idempotencyKey="k"), a_message(idempotencyKey="k", userStatus={"devicesCount": 9})

    response, body = batch(world, {"updates": [same, same, other]})

    assert response.status_code == 202
    assert body["value"][0]["id"] == body["value"][1]["id"]
    assert body["value"][2]["error"]["code"] == "idempotencyKeyConflict"
    assert len(world.bulk_queue.updates()) == 1


def test_of_a_keys_repeats_in_one_batch_the_first_is_first(world: World) -> None:
    """Whichever of several calls at a time comes first: verdicts are in order."""

    def last_first(call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return list(reversed([call(item) for item in reversed(list(items))]))

    accept = replace(world.relay.batch.accept, each=last_first)
    batches = replace(world.relay.batch, accept=accept)
    first, other = a_message(idempotencyKey="k"), a_message(idempotencyKey="k", userStatus={"devicesCount": 9})
    _, body = ask(batches.post_batch, "POST", {"updates": [first, other, other]})
    assert "id" in body["value"][0]
    assert [entry["error"]["code"] for entry in body["value"][1:]] == ["idempotencyKeyConflict"] * 2


def test_of_a_users_values_in_one_batch_the_last_stand(world: World) -> None:
    """Accepted in the same millisecond: their order decides, not chance."""
    bits = iter(range(100, 0, -1))
    world.randomness.bits = lambda: next(bits)  # type: ignore[method-assign]
    batch(world, {"updates": [a_message(userStatus={"devicesCount": n}) for n in range(20)]})
    world.run()
    assert world.in_graph()["devicesCount"] == 19


def test_a_queue_that_fails_midway_refuses_just_those(world: World) -> None:
    """They may be sent again; the others are accepted."""
    put, count = world.queue.put, iter(range(100))

    def sometimes(text: str, *rest: Any) -> None:
        if next(count) % 2:
            raise Unavailable("queue")
        put(text, *rest)

    world.queue.put = sometimes  # type: ignore[method-assign]
    response, body = batch(world, {"updates": users(10), "priority": "normal"})

    assert response.status_code == 202
    codes = [entry.get("error", {}).get("code") for entry in body["value"]]
    assert codes.count("storageUnavailable") == 5
    assert len(world.queue.messages) == 5
    assert len(world.outcomes.rows) == 5


def test_a_queue_that_is_down_refuses_all(world: World) -> None:
    """503, try again."""

    def down(*_: Any) -> None:
        raise Unavailable("queue")

    world.bulk_queue.put = down  # type: ignore[method-assign]
    response, _ = batch(world, {"updates": users(2)})
    assert problem(response) == (503, "storageUnavailable")
    assert response.headers["Retry-After"]


def test_a_consumer_that_is_faster_than_the_acceptance_is_not_undone(world: World) -> None:
    """Its final outcome stays, and nothing is left registered."""
    put = world.bulk_queue.put

    def delivered_at_once(text: str, *rest: Any) -> None:
        put(text, *rest)
        world.deliver_next()

    world.bulk_queue.put = delivered_at_once  # type: ignore[method-assign]
    _, body = batch(world, {"updates": users(3)})

    assert {world.outcome(entry["id"]).state.status for entry in body["value"]} == {"succeeded"}
    assert not any(world.user_statuses.accepted.values())
    assert json.dumps(body)
