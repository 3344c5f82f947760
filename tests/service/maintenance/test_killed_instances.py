"""Instances that are killed, holds and long turns, played in virtual time with the host's lease of ten minutes."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.settings import Settings
from tests.builders import a_message, an_update
from tests.fakes.queue import Message
from tests.world import World


class Killed(BaseException):
    """The process ends here, without any of its own code."""


def live(world: World, *, minutes: float, reconcile: Callable[[], int] | None = None) -> int:
    """Let one host deliver for that long, and the timer run every minute; how many updates were put back."""
    until, next_run, put_back = world.clock.now() + timedelta(minutes=minutes), world.clock.now(), 0
    while world.clock.now() < until:
        if not world.deliver_next():
            world.clock.step(seconds=1)
        if world.clock.now() >= next_run:
            put_back += (reconcile or world.relay.reconcile)()
            next_run = max(next_run, world.clock.now() - timedelta(minutes=1)) + timedelta(minutes=1)
    return put_back


def taken(world: World, count: int) -> list[Message]:
    """Take messages as a host does that is killed then: they stay hidden for ten minutes."""
    return [message for _ in range(count) if (message := world.queue.receive())]


def users(world: World, count: int) -> list[str]:
    """Accept an update for each of so many users."""
    return [world.accept(deviceComplianceUserStatusId=f"user-{n}") for n in range(count)]


def test_what_a_killed_instance_held_is_delivered_within_three_minutes(world: World) -> None:
    """Once: the message that comes back later is a duplicate and costs no write."""
    ids = users(world, 16)
    taken(world, 16)

    assert live(world, minutes=3) == 16

    assert {world.outcome(update_id).state for update_id in ids} == {State.DELIVERED}
    assert live(world, minutes=12) == 0
    assert len(world.graph.calls) == 16
    assert not world.queue.messages


@pytest.mark.parametrize("foreign", [False, True], ids=["accepted by us", "put on the queue by others"])
def test_a_kill_during_the_call_is_made_good_as_soon_as_the_call_cannot_land_any_more(
    world: World, *, foreign: bool
) -> None:
    """The user status is left alone until then; a message of someone else has its outcome before its turn."""
    if foreign:
        world.queue.put(json.dumps(a_message()))
    else:
        world.accept()
    message, patch = world.queue.receive(), world.graph.patch_user_status

    def killed(*_: object, **__: object) -> None:
        raise Killed

    world.graph.patch_user_status = killed  # type: ignore[assignment,method-assign]
    assert message is not None
    with pytest.raises(Killed):
        world.relay.deliver(message.delivery())
    world.graph.patch_user_status = patch  # type: ignore[method-assign]

    assert live(world, minutes=3) == 1
    assert [outcome.state for outcome, _ in world.outcomes.rows.values()] == [State.DELIVERED]
    assert live(world, minutes=12) == 0
    assert len(world.graph.calls) == 1


@pytest.mark.exhaustive
def test_a_kill_in_a_backlog_multiplies_no_message(world: World) -> None:
    """Only what the killed instance held gets another one, while the other instance works off the rest."""
    ids = users(world, 900)
    taken(world, 16)

    assert live(world, minutes=8) == 16

    assert {world.outcome(update_id).state for update_id in ids} == {State.DELIVERED}
    assert len(world.graph.calls) == 900


@pytest.mark.parametrize("hours", [2, 23])
def test_a_hold_that_everyone_keeps_makes_no_message(world: World, hours: int) -> None:
    """50 updates wait for its end, and are then delivered without help."""
    world.graph.replies = [GraphReply(429, retry_after_seconds=hours * 3600.0)]
    ids = users(world, 50)

    assert live(world, minutes=hours * 60 + 5) == 0

    assert {world.outcome(update_id).state for update_id in ids} == {State.DELIVERED}
    assert len(world.graph.calls) == 51


@pytest.mark.exhaustive
def test_an_outage_makes_no_message_worth_naming(world: World) -> None:
    """Two hours of 503 for 50 updates: what waits for its next attempt or for a probe is not lost."""
    world.graph.replies = [GraphReply(503)] * 2000
    ids = users(world, 50)

    during = live(world, minutes=120)
    world.graph.replies.clear()
    after = live(world, minutes=20)

    assert during + after <= 5
    assert {world.outcome(update_id).state for update_id in ids} == {State.DELIVERED}


def test_a_long_turn_keeps_its_only_message() -> None:
    """A call that lasts for minutes holds its user status; so do the updates that wait behind it."""
    world = World(
        Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", "GRAPH_TIMEOUT_SECONDS": "230"})
    )
    patch, runs = world.graph.patch_user_status, []

    def slow(*args: str, **kwargs: str) -> object:
        for _ in range(3):
            world.clock.step(minutes=1)
            runs.append(world.relay.reconcile())
        return patch(*args, **kwargs)  # type: ignore[arg-type]

    world.graph.patch_user_status = slow  # type: ignore[assignment,method-assign]
    world.accept()
    world.relay.accept(an_update(userStatus={"devicesCount": 1}))

    world.deliver_next()

    assert runs == [0, 0, 0]


def test_an_update_whose_messages_are_lost_again_and_again_gets_one_in_ten_minutes(world: World) -> None:
    """Whatever loses them: the cost stays bounded."""
    world.accept()
    put_back = 0
    for _ in range(60):
        world.queue.messages.clear()
        put_back += live(world, minutes=0.5, reconcile=lambda: 0)
        world.queue.messages.clear()
        put_back += world.relay.reconcile()
        world.queue.messages.clear()
        world.clock.step(seconds=30)

    assert put_back == 6
