"""``Prefer: wait``: the answer waits, and no thread does."""

import asyncio

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.service.ports.storage import Unavailable
from tests.builders import a_message
from tests.web.caller import get, post, request
from tests.world import World


def test_a_post_that_waits_is_answered_with_the_final_update(world: World) -> None:
    """200 and what Graph said, in one call."""
    response, body = post(world, a_message(), Prefer="respond-async, wait=10")

    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=10"
    assert (body["status"], body["statusDetail"]) == ("succeeded", "delivered")
    assert "Retry-After" not in response.headers
    assert response.headers["Operation-Location"].endswith(body["id"])


def test_a_wait_that_is_over_is_answered_with_what_is_known(world: World) -> None:
    """202, and the wait was no longer than asked for."""
    world.graph.replies = [GraphReply(503)] * 50
    start = world.clock.now()

    response, body = post(world, a_message(), Prefer="wait=3")

    assert response.status_code == 202
    assert (body["status"], body["statusDetail"]) == ("running", "waiting")
    assert (world.clock.now() - start).total_seconds() < 10


def test_a_get_waits_as_well(world: World) -> None:
    """And says that its answer depends on it."""
    update_id = world.accept()

    response, body = get(world, update_id, Prefer='wait="5"')

    assert body["status"] == "succeeded"
    assert response.headers["Preference-Applied"] == "wait=5"
    assert response.headers["Vary"] == "Prefer"


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=100", "wait=30"),
        ("wait=0", "wait=0"),
        ("wait=-1", None),
        ("wait=x", None),
        ("wait", None),
        ("", None),
        ("return=minimal", None),
        ("Wait = 2; foo=1", "wait=2"),
        ("wait=99999999999999999999", "wait=30"),
        ('foo="a,wait=5"', None),
        ("wait=x, wait=1", None),
        ('foo="a\\",b", wait=3', "wait=3"),
        ("respond-async, wait=4", "wait=4"),
    ],
)
def test_a_preference_is_granted_up_to_30_seconds_or_ignored(world: World, prefer: str, applied: str | None) -> None:
    """RFC 7240."""
    response, _ = post(world, a_message(), Prefer=prefer)
    assert response.headers.get("Preference-Applied") == applied


def test_storage_that_fails_during_a_wait_fails_no_accepted_update(world: World) -> None:
    """It is on the queue: 202 is still right."""
    world.queue.receive = lambda: None  # type: ignore[method-assign]

    def broken(update_id: str) -> None:
        raise Unavailable("table")

    async def asked() -> int:
        call = world.relay.updates.post_update(request(body=a_message(), headers={"Prefer": "wait=5"}))
        return (await call).status_code

    world.outcomes.get = broken  # type: ignore[method-assign,assignment]
    assert asyncio.run(asked()) == 202


def test_many_waiting_callers_hold_no_thread() -> None:
    """Two hundred at once, where there are only 32 threads."""
    from shared.settings import Settings

    world = World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}))
    ids = [world.accept(deviceComplianceUserStatusId=f"user-{n}") for n in range(200)]

    async def all_of_them() -> list[int]:
        calls = [
            world.relay.updates.get_update(
                request("GET", route_params={"id": update_id}, headers={"Prefer": "wait=30"})
            )
            for update_id in ids
        ]
        return [response.status_code for response in await asyncio.gather(*calls)]

    assert asyncio.run(all_of_them()) == [200] * 200
    assert all(world.outcome(update_id).state.final for update_id in ids)
