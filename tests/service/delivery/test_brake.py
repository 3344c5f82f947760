"""The brake: so many writes of a status in a time, then a pause for that status."""

from typing import Any

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.core.pause import Kind, Scope
from shared.settings import Settings
from shared.wiring.services import Services
from tests.builders import reported
from tests.world import World

ENVIRON = {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "CHANGE_BRAKE": "nonCompliant=20/3600,error=1/60"}


@pytest.fixture
def braked() -> World:
    """The wired app with brakes."""
    return World(Settings.from_environ(ENVIRON))


def users(world: World, count: int, status: str) -> list[str]:
    """Accept this status of so many users; their ids."""
    return [
        world.accept(deviceComplianceUserStatusId=f"{status}-{n}", userStatus={"status": status}) for n in range(count)
    ]


def written(world: World, status: str) -> int:
    """How many writes set this status."""
    return sum(call.properties.get("status") == status for call in world.graph.calls)


def test_the_writes_of_a_status_stop_at_its_limit_and_others_flow(braked: World) -> None:
    """25 of 20 are tried, 40 of another status pass; to resume sends the rest."""
    stopped, flowing = users(braked, 25, "nonCompliant"), users(braked, 40, "compliant")
    braked.run()
    assert (written(braked, "nonCompliant"), written(braked, "compliant")) == (20, 40)
    (held,) = braked.relay.manage_pauses.list()
    assert (held.pause.kind, held.pause.scope, held.held_count) == (Kind.BRAKE, Scope(status="nonCompliant"), 5)
    assert [braked.outcome(update_id).state for update_id in stopped[20:]] == [State.HELD] * 5
    assert {braked.outcome(update_id).state for update_id in flowing} == {State.DELIVERED}

    braked.relay.manage_pauses.end(held.pause.id)
    braked.run()

    assert written(braked, "nonCompliant") == 25
    assert [call.user_status_id for call in braked.graph.calls[-5:]] == [f"nonCompliant-{n}" for n in range(20, 25)]
    assert braked.relay.manage_pauses.list() == []


def test_to_resume_starts_the_count_anew(braked: World) -> None:
    """20 more pass, in the same hour; the next opens another pause."""
    users(braked, 21, "nonCompliant")
    braked.run()
    (held,) = braked.relay.manage_pauses.list()
    braked.relay.manage_pauses.end(held.pause.id)
    users(braked, 40, "nonCompliant")
    braked.run()
    assert written(braked, "nonCompliant") == 40
    (again,) = braked.relay.manage_pauses.list()
    assert again.pause.id != held.pause.id


def test_writes_that_are_older_than_the_window_do_not_count(braked: World) -> None:
    """So many in any hour."""
    users(braked, 20, "nonCompliant")
    braked.run()
    braked.clock.step(hours=1)
    users(braked, 20, "nonCompliant")
    braked.run()
    assert written(braked, "nonCompliant") == 40
    assert braked.relay.manage_pauses.list() == []


def test_a_retry_of_the_same_value_counts_once(braked: World) -> None:
    """Graph was down for a moment; the limit is one."""
    braked.graph.replies = [GraphReply(503, retry_after_seconds=1.0)] * 3
    (update_id,) = users(braked, 1, "error")
    braked.run()
    assert braked.outcome(update_id).state is State.DELIVERED
    assert written(braked, "error") == 4


def test_two_instances_count_together(braked: World) -> None:
    """Each delivers every other message."""
    instances = [braked.relay, Services(Settings.from_environ(ENVIRON), **braked.ports())]
    users(braked, 50, "nonCompliant")
    for n in range(200):
        braked.relay = instances[n % 2]
        if not braked.deliver_next():
            break
    braked.run()
    assert written(braked, "nonCompliant") == 20
    assert [held.held_count for held in braked.relay.manage_pauses.list()] == [30]


def test_all_that_the_brake_holds_can_be_canceled(braked: World) -> None:
    """Then the status flows again."""
    ids = users(braked, 25, "nonCompliant")
    braked.run()
    (held,) = braked.relay.manage_pauses.list()
    braked.relay.manage_pauses.cancel_updates(held.pause.id)
    assert {braked.outcome(update_id).state for update_id in ids[20:]} == {State.CANCELED}
    users(braked, 1, "nonCompliant")
    braked.run()
    assert written(braked, "nonCompliant") == 21


def test_the_newest_value_of_a_braked_user_is_sent_after_all(braked: World) -> None:
    """A later report of another status passes meanwhile, and the held one is superseded."""
    users(braked, 20, "nonCompliant")
    held = braked.accept(userStatus=reported("12:00:00", status="nonCompliant"))
    braked.run()
    newer = braked.accept(userStatus=reported("12:01:00", status="compliant"))
    braked.run()
    assert braked.in_graph()["status"] == "compliant"
    (pause,) = braked.relay.manage_pauses.list()
    braked.relay.manage_pauses.end(pause.pause.id)
    braked.run()
    assert braked.outcome(held).superseded_by == newer
    assert written(braked, "nonCompliant") == 20


@pytest.mark.parametrize(
    "text",
    ["200/3600", "compliant=0/60", "Compliant=1/60", "compliant=1/0", "compliant=5001/60", "error=1/60,error=2/60"],
)
def test_a_bad_brake_stops_the_app_at_start(text: str) -> None:
    """With a message that names it."""
    with pytest.raises(Exception, match="CHANGE_BRAKE"):
        Settings.from_environ(ENVIRON | {"CHANGE_BRAKE": text})


def test_a_write_that_was_counted_goes_out_although_the_brake_holds_the_next(braked: World) -> None:
    """It waits for its slot while another instance comes to the limit: the limit is one write, not none."""
    users(braked, 1, "compliant")
    braked.run()
    ids = users(braked, 2, "error")
    other = Services(Settings.from_environ(ENVIRON), **braked.ports())
    count, messages = braked.brake.write, []

    def counted(*args: Any) -> None:
        count(*args)
        if not messages:
            messages.append(braked.queue.receive())
            braked.clock.step(seconds=3)
            other.deliver(messages[0].delivery())
            braked.queue.delete(messages[0])

    braked.brake.write = counted  # type: ignore[method-assign]
    braked.run()
    assert [braked.outcome(update_id).state for update_id in ids] == [State.DELIVERED, State.HELD]
    assert written(braked, "error") == 1
