"""Updates that name their user by principal name, through the wired app."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.outcome import Outcome, State
from shared.service.ports.storage import OutcomeFilter
from shared.wiring.services import Services
from tests.builders import NOW, POLICY, USER, a_message, reported
from tests.service.delivery.interruptions import Died, dying
from tests.service.delivery.named import NAME, code, named, with_users
from tests.web.caller import ask, route_of
from tests.world import World


@pytest.fixture
def world(world: World) -> World:
    """A policy of five users, three pages long."""
    return with_users(world)


def test_a_named_user_is_found_in_the_policys_list_and_written(world: World) -> None:
    """In either case, over as many pages as it takes, for no write of the quota."""
    update_id = world.accept(**named())
    assert world.resource(update_id)["deviceComplianceUserStatusId"] is None
    assert world.resource(update_id)["userPrincipalName"] == NAME

    world.run()

    done = world.resource(update_id)
    assert (done["statusDetail"], done["deviceComplianceUserStatusId"]) == ("delivered", USER)
    assert done["attemptCount"] == 1
    assert [call.user_status_id for call in world.graph.calls] == [USER]
    assert [link for _, link, _ in world.graph.lists] == [None, "from-2", "from-4"]
    assert len(world.rate_limit.pacing.stamps) == 1
    assert not any(world.user_statuses.accepted.values())


def test_once_resolved_it_is_found_by_its_user_status(world: World) -> None:
    """In lists, and in the user status's own state while it waits."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=30.0)]
    update_id = world.accept(**named())
    world.deliver_next()

    page = world.outcomes.list(OutcomeFilter(device_compliance_user_status_id=USER), 10)
    _, state = ask(world.relay.user_statuses.get_user_status, route_params=route_of(POLICY, USER))

    assert [outcome.id for outcome in page.outcomes] == [update_id]
    assert {entry["waiting"]["updateId"] for entry in state["properties"].values()} == {update_id}


def test_a_name_that_two_user_statuses_have_fails(world: World) -> None:
    """Both are told, none is written."""
    world.graph.users[POLICY].append(("twin", NAME))
    update_id = world.accept(**named())
    world.run()
    assert code(world, update_id) == "userStatusAmbiguous"
    assert f"{USER}, twin" in world.resource(update_id)["error"]["message"]
    assert not world.graph.calls


def test_a_list_that_tells_an_id_twice_is_not_ambiguous(world: World) -> None:
    """A list shifts while it is read."""
    world.graph.users[POLICY].append((USER, NAME))
    update_id = world.accept(**named())
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_the_versions_of_named_updates_count_as_any(world: World) -> None:
    """An older report by name never overwrites a newer one by id."""
    newer = world.accept(userStatus=reported("12:00:00", status="nonCompliant"))
    world.run()
    older = world.accept(**named(userStatus=reported("11:00:00", status="compliant")))
    world.run()

    assert world.outcome(older).superseded_by == newer
    assert world.in_graph()["status"] == "nonCompliant"
    assert len(world.graph.calls) == 1


def test_updates_by_name_that_wait_together_cost_one_write(world: World) -> None:
    """Once known, each is carried by whoever's turn it is."""
    world.graph.replies = [GraphReply(None, TransportFault.TIMEOUT)]
    ids = [world.accept(**named(userStatus=reported(f"12:00:{n:02}", devicesCount=n))) for n in range(20)]

    world.run(most=1000)

    assert len(world.graph.calls) == 2
    assert world.in_graph()["devicesCount"] == 19
    assert Counter(world.outcome(update_id).state for update_id in ids) == {State.SUPERSEDED: 19, State.DELIVERED: 1}


def test_the_first_resolution_stands_for_all_attempts(world: World) -> None:
    """Also when the name means another user status by the next one; a replay resolves anew."""
    world.graph.replies = [GraphReply(503), GraphReply(404)]
    update_id = world.accept(**named())
    world.deliver_next()
    world.graph.users[POLICY] = [("recreated", NAME)]
    world.clock.step(minutes=10)
    world.run()
    assert code(world, update_id) == "graphRejected"
    assert [call.user_status_id for call in world.graph.calls] == [USER, USER]

    replay = world.relay.updates.replay(update_id, submitted_by=None)
    assert isinstance(replay, Outcome)
    world.run()
    assert world.resource(replay.id)["deviceComplianceUserStatusId"] == "recreated"
    assert world.outcome(replay.id).state is State.DELIVERED


def test_a_replay_of_an_unknown_user_resolves_again(world: World) -> None:
    """With its original's version."""
    update_id = world.accept(**named("late@contoso.example", userStatus=reported("11:00:00", status="compliant")))
    world.run()
    world.graph.users[POLICY].append(("late", "late@contoso.example"))
    newer = world.accept(deviceComplianceUserStatusId="late", userStatus=reported("12:00:00", status="nonCompliant"))
    world.run()
    world.clock.step(seconds=20)

    replay = world.relay.updates.replay(update_id, submitted_by=None)
    assert isinstance(replay, Outcome)
    world.run()

    assert world.outcome(replay.id).superseded_by == newer
    assert world.in_graph(user="late")["status"] == "nonCompliant"


def test_a_foreign_message_may_name_its_user(world: World) -> None:
    """Also one whose first turn died."""
    message = {name: value for name, value in a_message(**named()).items() if value is not None}
    world.queue.put(json.dumps(message))
    dying(world, "outcomes", "insert", after=True)
    with pytest.raises(Died):
        world.deliver_next()
    world.run()
    assert [outcome.state for outcome, _ in world.outcomes.rows.values()] == [State.DELIVERED]
    assert len(world.graph.calls) == 1


def test_the_same_key_makes_one_update(world: World) -> None:
    """The name is part of the payload."""
    first = world.accept(**named(idempotencyKey="k"))
    assert world.accept(**named(idempotencyKey="k")) == first
    world.run()
    assert len(world.graph.calls) == 1


def test_an_unknown_user_fails_after_ten_minutes(world: World) -> None:
    """It waits with that code from the first look on, and is looked for a few times; nothing is sent."""
    update_id = world.accept(**named("nobody@contoso.example"))
    world.deliver_next()
    assert world.outcome(update_id).state is State.WAITING
    assert code(world, update_id) == "userStatusNotFound"
    assert "5 user statuses" in world.resource(update_id)["error"]["message"]

    world.relay = Services(world.relay.settings, **world.ports())  # another instance goes on
    world.run()
    assert world.outcome(update_id).state is State.FAILED
    assert code(world, update_id) == "userStatusNotFound"
    assert world.outcome(update_id).last_action - NOW == timedelta(minutes=10)
    assert 3 <= len(world.graph.lists) / 3 <= 8
    assert not world.graph.calls


def test_a_user_that_appears_late_is_written(world: World) -> None:
    """New ones do, and lists were seen with entries missing."""
    update_id = world.accept(**named("late@contoso.example"))
    world.deliver_next()
    world.graph.users[POLICY].append(("late", "late@contoso.example"))
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    assert world.clock.now() - NOW < timedelta(minutes=10)
