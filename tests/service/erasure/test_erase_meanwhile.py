"""An erasure while updates of the person are under way: each is delivered first, then erased."""

import json
from dataclasses import replace
from datetime import timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.user_status import Acceptance, Lease
from shared.service.ports.storage import Unavailable
from tests.builders import POLICY, a_message
from tests.service.lives import (
    HERS,
    NAME,
    erase,
    erasure,
    finished,
    in_api,
    status,
    stored,
)
from tests.web.caller import ask
from tests.world import World


def key_of_update(world: World, update_id: str) -> str:
    """The key of an open update's user status."""
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    return envelope.user_status_key


def test_a_replay_made_meanwhile_is_erased_with_its_original(world: World) -> None:
    """It has a new id and the old data."""
    world.graph.replies = [GraphReply(400, message="no")]
    original = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 3))
    world.run()
    scan = world.outcomes.scan
    world.outcomes.scan = lambda *_: (_ for _ in ()).throw(Unavailable("table"))  # type: ignore[method-assign]
    begun = erase(world)
    world.outcomes.scan = scan  # type: ignore[method-assign]
    world.clock.step(seconds=30)
    _, replay = ask(world.relay.updates.replay_update, "POST", route_params={"id": original})

    world.relay.erase()
    assert erasure(world, begun["id"])["status"] == "running"
    world.run()
    done = finished(world, begun)

    assert done["updatesErased"] == 2
    assert world.resource(replay["id"])["statusDetail"] == "delivered"
    assert world.resource(replay["id"])["userStatus"] is None
    assert NAME not in stored(world)


def test_an_update_that_is_not_final_is_delivered_first(world: World) -> None:
    """Nothing accepted is lost; it is erased when it is final, and so is its user status."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=600.0)]
    waiting = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 1))
    world.deliver_next()

    begun = erase(world)
    world.clock.step(minutes=1)
    world.relay.erase()

    assert erasure(world, begun["id"])["status"] == "running"
    assert world.resource(waiting)["userStatus"] is not None
    world.run()
    done = finished(world, begun)
    assert (done["status"], done["updatesErased"], done["userStatusesErased"]) == ("succeeded", 1, 1)
    assert world.resource(waiting)["statusDetail"] == "delivered"
    assert world.in_graph(POLICY, HERS)["userPrincipalName"] == NAME
    assert NAME not in stored(world)


def test_what_came_after_the_request_is_new_data(world: World) -> None:
    """Its outcome and its values stay; older ones of the same user status go."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=600.0)]
    old = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 1, status="compliant"))
    world.deliver_next()
    begun = erase(world)
    world.clock.step(seconds=1)
    new = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 2))
    world.run()

    finished(world, begun)

    assert world.resource(old)["userStatus"] is None
    assert world.resource(new)["userStatus"] == status(NAME, 2)
    properties = in_api(world)["properties"]
    assert properties["userPrincipalName"]["confirmed"]["value"] == NAME
    assert properties["status"]["confirmed"]["value"] is None


def test_a_message_on_the_queue_before_the_request_is_not_missed(world: World) -> None:
    """Nobody knows it yet; its id tells that it was there."""
    world.queue.put(json.dumps(a_message(deviceComplianceUserStatusId=HERS, userStatus=status(NAME))))
    world.clock.step(seconds=30)

    begun = erase(world)
    assert begun["status"] == "running"
    world.run()
    done = finished(world, begun)

    assert (done["updatesErased"], done["userStatusesErased"]) == (1, 1)
    assert NAME not in stored(world)


def test_a_message_that_is_just_being_consumed_is_not_missed(world: World) -> None:
    """It is hidden, and has no outcome yet."""
    world.queue.put(json.dumps(a_message(deviceComplianceUserStatusId=HERS, userStatus=status(NAME))))
    message = world.queue.receive()
    assert message is not None
    begun = erase(world)
    assert begun["status"] == "running"
    world.clock.step(seconds=20)
    world.relay.erase()
    world.relay.deliver(message.delivery())
    world.queue.delete(message)
    assert finished(world, begun)["updatesErased"] == 1
    assert NAME not in stored(world)


def test_a_user_status_that_is_being_written_waits(world: World) -> None:
    """Never in the middle of a turn."""
    update_id = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME))
    key = key_of_update(world, update_id)
    world.run()
    row, etag = world.user_statuses.rows[key]
    lease = Lease("a turn", world.clock.now(), world.clock.now() + timedelta(seconds=90))
    world.user_statuses.rows[key] = (replace(row, lease=lease), etag)

    begun = erase(world)
    world.clock.step(minutes=1)
    world.relay.erase()

    assert erasure(world, begun["id"])["status"] == "running"
    assert in_api(world)["properties"]["userPrincipalName"]["confirmed"]["value"] == NAME
    assert finished(world, begun)["userStatusesErased"] == 1
    assert NAME not in stored(world)


def test_an_acceptance_that_was_left_over_goes(world: World) -> None:
    """Of a final update, as a crash leaves it; its values name the person too."""
    update_id = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME))
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    world.run()
    world.user_statuses.register(envelope.user_status_key, Acceptance.of(envelope))
    erase(world)
    assert not any(world.user_statuses.accepted.values())
    assert NAME not in stored(world)


def test_an_acceptance_whose_update_never_shows_is_waited_for_a_day(world: World) -> None:
    """Its message may be on its way; then it goes."""
    update_id = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME))
    del world.outcomes.rows[update_id]
    world.queue.messages.clear()

    begun = erase(world)
    world.clock.step(hours=23)
    world.relay.erase()
    assert erasure(world, begun["id"])["status"] == "running"
    world.clock.step(hours=2)

    assert finished(world, begun)["status"] == "succeeded"
    assert NAME not in stored(world)


def test_a_second_request_covers_what_came_since(world: World) -> None:
    """Each is an erasure of its own; two of the same person do no harm."""
    first_id = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 1))
    world.run()
    first = erase(world)
    world.clock.step(seconds=5)
    second_id = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 2))
    world.run()
    second = erase(world)
    assert first["id"] != second["id"]
    assert (first["updatesErased"], second["updatesErased"]) == (1, 1)
    assert world.outcome(first_id).erased is not None
    assert world.outcome(second_id).erased is not None
