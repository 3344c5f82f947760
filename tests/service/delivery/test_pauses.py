"""What a pause holds, and what becomes of it when the pause ends."""

from datetime import timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.core.pause import Pause, PauseRequest, Scope
from tests.builders import NOW, POLICY, reported
from tests.service.delivery.test_storage_calls import counting
from tests.world import World

OTHER_POLICY = POLICY.replace("3f1c", "4a2d")


def pause(world: World, *, hours: float | None = None, **scope: str) -> Pause:
    """Begin a pause."""
    ends = None if hours is None else world.clock.now() + timedelta(hours=hours)
    manage = world.relay.manage_pauses
    begun = manage.begin(manage.draft(PauseRequest("maintenance", Scope(**scope), ends), "operator"))
    assert isinstance(begun, Pause)
    return begun


def users(world: World, count: int, **changes: object) -> list[str]:
    """Accept an update of each of so many users; their ids."""
    return [world.accept(deviceComplianceUserStatusId=f"user-{n}", **changes) for n in range(count)]


def states(world: World, update_ids: list[str]) -> set[State]:
    """The states of these updates."""
    return {world.outcome(update_id).state for update_id in update_ids}


def test_held_updates_leave_the_queue_and_are_delivered_in_order_after_the_pause(world: World) -> None:
    """Nothing is sent meanwhile; the resource names the pause."""
    begun = pause(world)
    ids = users(world, 5)
    world.run()
    assert world.queue.messages == []
    assert world.graph.calls == []
    shown = world.resource(ids[0])
    assert (shown["status"], shown["statusDetail"], shown["heldBy"]) == ("notStarted", "held", begun.id)
    assert [held.held_count for held in world.relay.manage_pauses.list()] == [5]

    world.relay.manage_pauses.end(begun.id)
    world.run()

    assert states(world, ids) == {State.DELIVERED}
    assert [call.user_status_id for call in world.graph.calls] == [f"user-{n}" for n in range(5)]
    assert world.relay.manage_pauses.list() == []
    assert world.resource(ids[0])["heldBy"] is None


def test_only_updates_in_the_scope_are_held(world: World) -> None:
    """By policy in either case, source and status; members are joined by and."""
    pause(world, policy_id=POLICY.upper(), source="hr", status="error")
    inside = world.accept(source="hr", userStatus={"status": "error"})
    outside = [
        world.accept(source="hr", userStatus={"status": "compliant"}, deviceComplianceUserStatusId="a"),
        world.accept(source="it", userStatus={"status": "error"}, deviceComplianceUserStatusId="b"),
        world.accept(source="hr", userStatus={"status": "error"}, deviceCompliancePolicyId=OTHER_POLICY),
        world.accept(source="hr", userStatus={"devicesCount": 1}, deviceComplianceUserStatusId="c"),
    ]
    world.run()
    assert world.outcome(inside).state is State.HELD
    assert states(world, outside) == {State.DELIVERED}


def test_a_held_value_is_not_sent_by_another_updates_turn(world: World) -> None:
    """Neither newer nor older, merged or alone; afterwards the newest of each property stands."""
    begun = pause(world, source="hr")
    newer = world.accept(source="hr", userStatus=reported("12:02:00", status="error"))
    older = world.accept(source="hr", userStatus=reported("12:00:00", devicesCount=1))
    other = world.accept(source="it", userStatus=reported("12:01:00", status="compliant"))
    world.run()
    assert world.outcome(other).state is State.DELIVERED
    assert world.in_graph()["status"] == "compliant"
    assert "devicesCount" not in world.in_graph()
    assert states(world, [newer, older]) == {State.HELD}

    world.relay.manage_pauses.end(begun.id)
    world.run()

    assert world.in_graph()["status"] == "error"
    assert world.in_graph()["devicesCount"] == 1
    assert states(world, [newer, older]) == {State.DELIVERED}
    assert len(world.graph.calls) == 2


def test_a_pause_that_begins_while_a_turn_waits_for_its_slot_holds_it(world: World) -> None:
    """The turn looks again right before it sends."""
    update_id = world.accept()
    world.relay.rate_limiter.record_read(GraphReply(429, retry_after_seconds=55))
    wait, begun = world.clock.pause, []

    def waiting(seconds: float) -> None:
        if not begun:
            begun.append(pause(world))
        wait(seconds)

    world.clock.pause = waiting  # type: ignore[method-assign]
    world.run()
    assert begun
    assert world.graph.calls == []
    assert world.outcome(update_id).held_by == begun[0].id
    world.relay.manage_pauses.end(begun[0].id)
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_held_updates_cost_no_storage_call_and_delivery_no_further_one() -> None:
    """One read of the pauses serves two seconds of turns."""
    world, calls = counting()
    begun = pause(world)
    users(world, 20)
    world.run()
    assert world.pauses.reads <= 3
    calls.clear()
    for _ in range(30):
        world.clock.step(minutes=1)
        world.relay.reconcile()
    assert set(calls) <= {"head", "open"}
    assert world.queue.messages == []
    world.relay.manage_pauses.end(begun.id)
    world.run()
    assert len(world.graph.calls) == 20


def test_an_update_is_held_until_no_pause_holds_it(world: World) -> None:
    """Two that overlap."""
    everything, policy = pause(world), pause(world, policy_id=POLICY)
    update_id = world.accept()
    world.run()
    world.relay.manage_pauses.end(everything.id)
    world.run()
    assert world.outcome(update_id).held_by == policy.id
    world.relay.manage_pauses.end(policy.id)
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_a_pause_ends_by_itself(world: World) -> None:
    """At its time; the timer finds it where the process that began it has gone."""
    begun = pause(world, hours=1)
    update_id = world.accept()
    world.run()
    world.clock.step(hours=1)
    assert world.relay.manage_pauses.get(begun.id) is None
    world.relay.manage_pauses()
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_the_process_that_began_a_pause_ends_it_in_time(world: World) -> None:
    """Without waiting for the timer."""
    pause(world, hours=1)
    update_id = world.accept()
    world.run()
    world.clock.step(hours=1)
    world.call_later.ring()
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_a_deadline_does_not_run_while_an_update_is_held(world: World) -> None:
    """It was tried before; a week later it is tried again."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=30.0)]
    update_id = world.accept()
    world.deliver_next()
    begun = pause(world)
    world.run()
    assert world.outcome(update_id).state is State.HELD
    world.clock.step(days=7)
    world.relay.manage_pauses.end(begun.id)
    world.run()
    outcome = world.outcome(update_id)
    assert (outcome.state, outcome.attempt_count) == (State.DELIVERED, 2)
    assert outcome.tried_from >= NOW + timedelta(days=7)


def test_a_held_update_can_be_canceled_and_replayed(world: World) -> None:
    """It is out of the pause's count then; its replay is held."""
    begun = pause(world)
    ids = users(world, 2)
    world.run()
    canceled = world.relay.cancel(ids[0])
    assert getattr(canceled, "state", None) is State.CANCELED
    held = world.relay.manage_pauses.get(begun.id)
    assert held is not None
    assert held.held_count == 1


def test_an_update_by_principal_name_is_held_before_anyone_is_looked_up(world: World) -> None:
    """No list is read meanwhile."""
    world.graph.users[POLICY] = [("found", "a@x.example")]
    begun = pause(world)
    update_id = world.accept(deviceComplianceUserStatusId=None, userPrincipalName="a@x.example")
    world.run()
    assert world.graph.lists == []
    world.relay.manage_pauses.end(begun.id)
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_all_that_a_pause_holds_is_canceled_then_it_ends(world: World) -> None:
    """Nothing is ever sent."""
    begun = pause(world)
    ids = users(world, 4)
    world.run()
    world.relay.manage_pauses.cancel_updates(begun.id)
    assert states(world, ids) == {State.CANCELED}
    assert world.relay.manage_pauses.get(begun.id) is None
    world.run()
    assert world.graph.calls == []
