"""Erasing a person: nothing of them stays, nothing else goes, and order holds on."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State, Transition, advance, queued
from shared.core.delivery.user_status import Acceptance, Lease
from shared.core.erasure.erasure import MAX_FOLLOWED, MAX_USER_STATUSES
from shared.core.erasure.redaction import ERASED_MESSAGE
from shared.core.intake.envelope import Envelope
from shared.service.erasure.erase import SLICE_CALLS
from shared.service.erasure.outcomes import FOLLOWED_AT_ONCE
from shared.service.ports.storage import Unavailable
from tests.builders import NOW, POLICY, a_message, an_id, an_update
from tests.service.lives import (
    HERS,
    HERS_TOO,
    NAME,
    erase,
    erasure,
    finished,
    in_api,
    lived,
    others_lived,
    status,
    stored,
)
from tests.web.caller import ask, problem
from tests.world import World

IDS = {"deviceCompliancePolicyId": POLICY, "deviceComplianceUserStatusId": HERS}


def key_of_update(world: World, update_id: str) -> str:
    """The key of an open update's user status."""
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    return envelope.user_status_key


def test_nothing_of_a_person_stays_and_nobody_else_is_touched(world: World) -> None:
    """Whatever became of their updates; a small table is done at once."""
    ids, others = lived(world), others_lived(world)
    kept = [world.resource(one) for one in others]

    told = erase(world)

    assert told["status"] == "succeeded"
    assert told["updatesErased"] == len(ids) == 12
    assert told["userStatusesErased"] == 1
    assert NAME.lower() not in stored(world).lower().replace(f"x.{NAME.lower()}", "").replace(f"{NAME.lower()}.au", "")
    assert [world.resource(one) for one in others] == kept


def test_what_is_left_of_an_outcome_still_tells_what_became_of_it(world: World) -> None:
    """Ids, states, times, counts, codes; no member of a person's."""
    ids = lived(world)
    before = {one: world.resource(one) for one in ids}

    erase(world)

    for one in ids:
        was, is_ = before[one], world.resource(one)
        gone = {"userStatus", "result", "rawMessage", "rawMessageEncoding", "error", "attempts", "idempotencyKey"}
        assert {name: is_[name] for name in is_.keys() - gone} == {name: was[name] for name in is_.keys() - gone}
        assert (is_["userStatus"], is_["result"], is_.get("rawMessage")) == (None, None, None)
        assert is_["idempotencyKey"] is None
        assert len(is_["attempts"]) == len(was["attempts"])
        if was["error"] is not None:
            assert is_["error"]["code"] == was["error"]["code"]
            assert is_["error"]["message"] == ERASED_MESSAGE
            assert "errors" not in is_["error"]


def test_erased_updates_are_listed_and_found_by_their_ids_and_source(world: World) -> None:
    """Counts stay."""
    lived(world)
    query = IDS | {"status": "succeeded"}
    _, before = ask(world.relay.updates.list_updates, params=query)

    erase(world)

    _, after = ask(world.relay.updates.list_updates, params=query)
    assert [one["id"] for one in after["value"]] == [one["id"] for one in before["value"]]
    _, from_hr = ask(world.relay.updates.list_updates, params={"source": "hr"})
    assert len(from_hr["value"]) == 1


def test_a_key_without_the_name_stays(world: World) -> None:
    """It is the sender's way to look the update up."""
    update_id = world.accept(userStatus=status(NAME), idempotencyKey="ticket-7")
    world.run()
    erase(world)
    assert world.resource(update_id)["idempotencyKey"] == "ticket-7"
    _, found = ask(world.relay.updates.list_updates, params={"idempotencyKey": "ticket-7"})
    assert [one["id"] for one in found["value"]] == [update_id]


def test_a_repeated_request_finds_its_erased_update(world: World) -> None:
    """The idempotency key still holds: no second update."""
    update_id = world.accept(userStatus=status(NAME), idempotencyKey="ticket-7")
    world.run()
    erase(world)
    assert world.accept(userStatus=status(NAME), idempotencyKey="ticket-7") == update_id
    assert not world.queue.messages


def test_one_user_status_is_erased_by_its_ids(world: World) -> None:
    """Its outcomes and its row, in either case of the policy's id; another policy's or user's stay."""
    lived(world)
    mine = [world.accept(deviceComplianceUserStatusId=HERS_TOO, userStatus=status(NAME, 9))]
    world.run()

    told = erase(world, **IDS | {"deviceCompliancePolicyId": POLICY.upper()})

    # Four accepted ones, and the unreadable ones that hold its ids, in UTF-16 too.
    assert (told["status"], told["updatesErased"], told["userStatusesErased"]) == ("succeeded", 8, 1)
    assert world.resource(mine[0])["userStatus"] is not None
    assert in_api(world, HERS_TOO)["properties"]["userPrincipalName"]["confirmed"]["value"] == NAME


def test_a_user_status_keeps_its_versions_and_its_order(world: World) -> None:
    """An older report stays out, the same is no news, a newer one is delivered."""
    world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 5))
    world.run()
    before = in_api(world)["properties"]

    erase(world)

    after = in_api(world)["properties"]
    assert after.keys() == before.keys()
    for name, states in after.items():
        assert states["confirmed"] == before[name]["confirmed"] | {"value": None}
        assert states["waiting"] is None
    world.clock.step(seconds=1)
    calls = len(world.graph.calls)
    older = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME, 4))
    world.run()
    assert world.resource(older)["statusDetail"] == "superseded"
    assert len(world.graph.calls) == calls
    newer = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(None, 6))
    world.run()
    assert world.resource(newer)["statusDetail"] == "delivered"
    assert world.graph.calls[-1].properties == status(None, 6)
    confirmed = in_api(world)["properties"]
    assert confirmed["devicesCount"]["confirmed"]["value"] == 6
    assert confirmed["userPrincipalName"]["confirmed"]["value"] is None


def test_a_row_whose_outcomes_were_purged_is_found_by_its_values(world: World) -> None:
    """User statuses stay for ever: they must not keep a name for ever."""
    world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(NAME))
    world.run()
    world.clock.step(days=31)
    world.relay.purge()
    unnamed = world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(None, 50))
    world.run()

    told = erase(world)

    assert (told["updatesErased"], told["userStatusesErased"]) == (1, 1)
    assert world.resource(unnamed)["userStatus"] is None
    assert NAME not in stored(world)


def test_an_erased_update_is_not_replayed(world: World) -> None:
    """Its message is gone: 409 says why, and a filter leaves it out."""
    world.graph.replies = [GraphReply(400, message="no")]
    update_id = world.accept(userStatus=status(NAME))
    world.run()
    erase(world)
    response, told = ask(world.relay.updates.replay_update, "POST", route_params={"id": update_id})
    assert problem(response) == (409, "notReplayable")
    assert "erased" in told["detail"]
    _, counted = ask(world.relay.updates.replay_updates, "POST", {"status": "failed"})
    assert counted["matched"] == 0
    response, _ = ask(world.relay.updates.cancel_update, "POST", route_params={"id": update_id})
    assert problem(response) == (409, "tooLate")


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
    told = finished(world, begun)

    assert told["updatesErased"] == 2
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
    told = finished(world, begun)
    assert (told["status"], told["updatesErased"], told["userStatusesErased"]) == ("succeeded", 1, 1)
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
    told = finished(world, begun)

    assert (told["updatesErased"], told["userStatusesErased"]) == (1, 1)
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


def test_an_outcome_that_only_mentions_someone_does_not_take_its_user_status_along(world: World) -> None:
    """The error of another's update names her: that text goes, the other's reports stay."""
    others = world.accept(deviceComplianceUserStatusId="bob", userStatus=status("bob@contoso.com", 1))
    world.run()
    world.graph.replies = [GraphReply(400, message=f"Assigned to {NAME} already.")]
    refused = world.accept(deviceComplianceUserStatusId="bob", userStatus=status("bob@contoso.com", 2))
    world.run()
    told = erase(world)
    assert (told["updatesErased"], told["userStatusesErased"]) == (1, 0)
    assert world.resource(refused)["userStatus"] is None
    assert world.resource(others)["userStatus"] is not None
    assert in_api(world, "bob")["properties"]["userPrincipalName"]["confirmed"]["value"] == "bob@contoso.com"


def test_somebody_unknown_is_erased_at_once(world: World) -> None:
    """Nothing was found: the caller learns no more than that."""
    told = erase(world, userPrincipalName="nobody@contoso.com")
    assert (told["status"], told["updatesErased"], told["userStatusesErased"]) == ("succeeded", 0, 0)


def test_the_erasure_itself_forgets_whom_it_was_about(world: World) -> None:
    """While it runs its row needs the name; the resource never shows it."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=600.0)]
    world.accept(userStatus=status(NAME))
    world.deliver_next()
    begun = erase(world)
    assert NAME in repr(world.erasures.rows)
    assert NAME not in repr(begun) + repr(erasure(world, begun["id"]))
    world.run()
    finished(world, begun)
    assert NAME not in repr(world.erasures.rows)


def test_an_erasure_that_cannot_end_fails_and_forgets_too(world: World) -> None:
    """After the retention: whoever asked for it asks again."""
    world.identity.fault = "gone"
    world.accept(userStatus=status(NAME))
    world.deliver_next()
    begun = erase(world)
    world.clock.step(days=31)
    assert world.relay.erase() == 1
    assert erasure(world, begun["id"])["status"] == "failed"
    assert NAME not in repr(world.erasures.rows)


def test_ended_erasures_are_purged_open_ones_are_not(world: World) -> None:
    """With the retention, counted from their end."""
    done = erase(world)
    world.graph.replies = [GraphReply(503, retry_after_seconds=600.0)]
    world.accept(userStatus=status(NAME))
    world.deliver_next()
    begun = erase(world)
    world.clock.step(days=29)
    assert world.relay.purge() == 0
    world.clock.step(days=2)
    world.relay.purge()
    assert world.erasures.get(done["id"]) is None
    assert world.erasures.get(begun["id"]) is not None


def test_storage_that_is_away_delays_an_erasure_and_loses_none(world: World) -> None:
    """503 while the request cannot be written; later on the timer comes again."""
    lived(world)
    insert, scan = world.erasures.insert, world.user_statuses.scan

    def down(*_: Any) -> Any:
        raise Unavailable("table")

    world.erasures.insert = down  # type: ignore[method-assign]
    response, _ = ask(world.relay.erasures.post_erasure, "POST", {"userPrincipalName": NAME})
    assert problem(response) == (503, "storageUnavailable")
    assert not world.erasures.rows
    world.erasures.insert = insert  # type: ignore[method-assign]
    world.user_statuses.scan = down  # type: ignore[method-assign]
    begun = erase(world)
    assert (begun["status"], begun["updatesErased"]) == ("running", 0)
    world.user_statuses.scan = scan  # type: ignore[method-assign]
    assert finished(world, begun)["updatesErased"] == 12


def test_one_erasures_fault_is_no_matter_of_the_others(world: World) -> None:
    """A row that nobody understands does not stop the timer."""
    lived(world)
    scan = world.user_statuses.scan

    def garbled(*_: Any) -> Any:
        raise KeyError("Confirmed")

    world.user_statuses.scan = garbled  # type: ignore[method-assign]
    first = erase(world)
    world.clock.step(seconds=1)
    second = erase(world, **IDS)
    assert erasure(world, first["id"])["status"] == "running"
    assert second["status"] == "succeeded"
    world.user_statuses.scan = scan  # type: ignore[method-assign]
    assert finished(world, first)["status"] == "succeeded"


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


@pytest.mark.exhaustive
def test_thousands_of_outcomes_take_several_slices_of_bounded_cost(world: World) -> None:
    """However large the table."""
    for n in range(5_000):
        update = an_update(
            deviceComplianceUserStatusId=f"u{n % 50}", userStatus=status(NAME if n % 2 else None, n % 60)
        )
        outcome = advance(queued(Envelope(an_id(n=n), 1, update), NOW), Transition.CANCEL, NOW)
        world.outcomes.insert(outcome)
    calls: list[int] = []

    def counting(call: Any) -> Any:
        def counted(*args: Any) -> Any:
            calls[-1] += 1
            return call(*args)

        return counted

    for name in ("replace", "scan", "get"):
        setattr(world.outcomes, name, counting(getattr(world.outcomes, name)))
    world.erasures.replace = counting(world.erasures.replace)  # type: ignore[method-assign]
    world.user_statuses.read = counting(world.user_statuses.read)  # type: ignore[method-assign]
    calls.append(0)
    begun = erase(world)
    assert begun["status"] == "running"
    for _ in range(60):
        calls.append(0)
        world.clock.step(minutes=1)
        if world.relay.erase():
            break

    told = erasure(world, begun["id"])
    assert (told["status"], told["updatesErased"]) == ("succeeded", 2_500)
    assert len(calls) > 5
    assert max(calls) <= SLICE_CALLS + FOLLOWED_AT_ONCE
    assert sum(outcome.erased is not None for outcome, _ in world.outcomes.rows.values()) == 2_500
    assert {outcome.state for outcome, _ in world.outcomes.rows.values()} == {State.CANCELED}


@pytest.mark.exhaustive
def test_more_user_statuses_and_open_updates_than_fit_are_taken_in_later_rounds(world: World) -> None:
    """The row that remembers them is bounded, and nobody is forgotten for it."""
    many = MAX_USER_STATUSES + 5
    for n in range(many):
        world.accept(deviceComplianceUserStatusId=f"u{n}", userStatus=status(NAME))
        world.accept(deviceComplianceUserStatusId=f"u{n}", userStatus=status(None, 1))
    begun = erase(world)
    for _ in range(10):
        world.clock.step(minutes=1)
        world.relay.erase()
        (row,) = [one for one, _ in world.erasures.rows.values()]
        assert len(row.progress.keys) <= MAX_USER_STATUSES
        assert len(row.progress.followed) <= MAX_FOLLOWED
    world.run(3 * many)

    told = finished(world, begun)

    assert told["userStatusesErased"] == many
    assert told["updatesErased"] == 2 * many
    assert NAME not in stored(world)


def test_a_request_answers_within_seconds_however_slow_storage_is(world: World) -> None:
    """The timer does the rest."""
    lived(world)
    scan = world.user_statuses.scan

    def slow(*args: Any) -> Any:
        world.clock.step(seconds=3)
        return scan(*args)

    world.user_statuses.scan = slow  # type: ignore[method-assign]
    begun = erase(world)
    assert (begun["status"], begun["updatesErased"]) == ("running", 0)
    assert finished(world, begun)["updatesErased"] == 12


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
