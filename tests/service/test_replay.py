"""Replay: once each, with the old version, whatever dies in between."""

from typing import Any

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.service.ports.storage import Unavailable
from tests.builders import a_message, an_id, an_update, reported
from tests.web.caller import ask, problem
from tests.world import World

REFUSED = GraphReply(400, code="BadRequest", message="no")


def failed(world: World, **changes: Any) -> str:
    """An update that Graph refused."""
    world.graph.replies = [REFUSED]
    update_id = world.accept(**changes)
    world.run()
    assert world.outcome(update_id).state.status == "failed"
    return update_id


def replay(world: World, update_id: str) -> tuple[Any, Any]:
    """POST its replay."""
    return ask(world.relay.updates.replay_update, "POST", route_params={"id": update_id})


def replay_some(world: World, **body: Any) -> tuple[int, Any]:
    """POST a replay by filter."""
    response, answer = ask(world.relay.updates.replay_updates, "POST", body)
    return response.status_code, answer


def test_a_failed_update_is_replayed_as_a_new_one(world: World) -> None:
    """Each names the other; the old one stays failed."""
    old = failed(world)

    response, body = replay(world, old)
    world.run()

    assert response.status_code == 202
    assert response.headers["Operation-Location"].endswith(body["id"])
    assert (body["replayOf"], body["status"]) == (old, "notStarted")
    assert world.resource(old)["replayedBy"] == body["id"]
    assert world.resource(old)["status"] == "failed"
    assert world.resource(body["id"])["status"] == "succeeded"


def test_a_replay_never_overwrites_what_was_reported_since(world: World) -> None:
    """It keeps its original's version."""
    old = failed(world, userStatus=reported("09:00:00", devicesCount=1))
    world.accept(an_update(userStatus=reported("10:00:00", devicesCount=2)))
    world.run()

    _, body = replay(world, old)
    world.run()

    assert world.resource(body["id"])["statusDetail"] == "superseded"
    assert world.in_graph()["devicesCount"] == 2


def test_an_update_is_replayed_once(world: World) -> None:
    """A second time is too late; the replay itself may be replayed when it fails."""
    old = failed(world)
    world.graph.replies = [REFUSED]
    _, first = replay(world, old)
    world.run()
    response, _ = replay(world, old)
    assert problem(response) == (409, "notReplayable")
    assert replay(world, first["id"])[0].status_code == 202


def test_what_cannot_be_replayed_says_so(world: World) -> None:
    """Open, delivered, unreadable, unknown."""
    still_open = world.accept()
    assert problem(replay(world, still_open)[0]) == (409, "notReplayable")
    world.run()
    assert problem(replay(world, still_open)[0]) == (409, "notReplayable")
    world.queue.put("nonsense")
    world.run()
    (unreadable,) = [update_id for update_id, (outcome, _) in world.outcomes.rows.items() if outcome.update is None]
    assert problem(replay(world, unreadable)[0]) == (409, "notReplayable")
    assert problem(replay(world, an_id(5))[0]) == (404, "notFound")
    assert problem(replay(world, "x")[0]) == (404, "notFound")


def test_a_replay_that_died_between_its_two_steps_is_taken_up_under_the_same_id(world: World) -> None:
    """The old outcome names an update that does not exist yet."""
    old, put = failed(world), world.queue.put

    def down(*_: Any) -> None:
        raise Unavailable("queue")

    world.queue.put = down  # type: ignore[method-assign]
    assert problem(replay(world, old)[0]) == (503, "storageUnavailable")
    named = world.resource(old)["replayedBy"]
    world.queue.put = put  # type: ignore[method-assign]

    response, body = replay(world, old)

    assert response.status_code == 202
    assert body["id"] == named
    world.run()
    assert world.resource(named)["status"] == "succeeded"


def test_a_canceled_update_is_replayed(world: World) -> None:
    """It was never sent."""
    update_id = world.accept()
    world.relay.updates.cancel(update_id)
    _, body = replay(world, update_id)
    world.run()
    assert world.resource(body["id"])["status"] == "succeeded"


def test_a_filter_is_replayed_after_its_count_was_asked(world: World) -> None:
    """Dry run first; then each once."""
    ids = [failed(world, deviceComplianceUserStatusId=f"u{n}", source="hr") for n in range(3)]
    failed(world, deviceComplianceUserStatusId="other", source="jamf")
    world.accept(deviceComplianceUserStatusId="fine", source="hr")
    world.run()

    assert replay_some(world, source="hr", dryRun=True) == (200, {"matched": 3})
    assert not world.queue.messages
    assert replay_some(world, source="hr") == (202, {"matched": 3, "replayed": 3, "remaining": 0})
    assert replay_some(world, source="hr") == (202, {"matched": 0, "replayed": 0, "remaining": 0})
    world.run()
    assert {world.resource(str(world.resource(update_id)["replayedBy"]))["status"] for update_id in ids} == {
        "succeeded"
    }


@pytest.mark.exhaustive
def test_a_filter_takes_a_thousand_at_a_time(world: World) -> None:
    """The rest is for the next call."""
    world.graph.refuse = lambda properties: True
    for n in range(1005):
        world.accept(deviceComplianceUserStatusId=f"u{n}")
    world.run(2000)

    assert replay_some(world, status="failed") == (202, {"matched": 1005, "replayed": 1000, "remaining": 5})
    assert replay_some(world, status="failed") == (202, {"matched": 5, "replayed": 5, "remaining": 0})


def test_a_replay_by_filter_that_died_halfway_is_taken_up(world: World) -> None:
    """Named but not enqueued ones come first to mind."""
    for n in range(4):
        failed(world, deviceComplianceUserStatusId=f"u{n}")
    put, count = world.queue.put, iter(range(100))

    def half(text: str, *rest: Any) -> None:
        if next(count) >= 2:
            raise Unavailable("queue")
        put(text, *rest)

    world.queue.put = half  # type: ignore[method-assign]
    assert replay_some(world, status="failed")[1] == {"matched": 4, "replayed": 2, "remaining": 2}
    world.queue.put = put  # type: ignore[method-assign]
    assert replay_some(world, status="failed")[1] == {"matched": 2, "replayed": 2, "remaining": 0}
    assert len({document["id"] for document in world.queue.documents()}) == 4


@pytest.mark.parametrize(
    "body", [{"status": "failed", "statusDetail": "delivered"}, {"statusDetail": "waiting"}, {"status": "succeeded"}]
)
def test_a_filter_that_no_replayable_update_meets_replays_nothing(world: World, body: dict[str, Any]) -> None:
    """Least of all everything."""
    failed(world)
    assert replay_some(world, **body, dryRun=True) == (200, {"matched": 0})
    assert replay_some(world, **body) == (202, {"matched": 0, "replayed": 0, "remaining": 0})


@pytest.mark.parametrize(
    "body",
    [
        {"status": "x"},
        {"dryRun": "yes"},
        {"top": "5"},
        {"source": 7},
        {"createdAfter": "yesterday"},
        {"errorCode": "x"},
    ],
)
def test_a_bad_filter_replays_nothing(world: World, body: dict[str, Any]) -> None:
    """400, each member named."""
    failed(world)
    response, details = ask(world.relay.updates.replay_updates, "POST", body)
    assert problem(response) == (400, "invalidMessage")
    assert details["errors"][0]["pointer"] == "/" + next(iter(body))
    assert not world.queue.messages
    assert a_message()
