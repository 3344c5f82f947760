"""Erasing a person: nothing of them stays, and nothing else goes."""

from shared.core.delivery.graph_reply import GraphReply
from shared.core.erasure.redaction import ERASED_MESSAGE
from tests.builders import POLICY
from tests.service.lives import (
    HERS,
    HERS_TOO,
    NAME,
    erase,
    in_api,
    lived,
    others_lived,
    status,
    stored,
)
from tests.web.caller import ask, problem
from tests.world import World

IDS = {"deviceCompliancePolicyId": POLICY, "deviceComplianceUserStatusId": HERS}


def test_nothing_of_a_person_stays_and_nobody_else_is_touched(world: World) -> None:
    """Whatever became of their updates; a small table is done at once."""
    ids, others = lived(world), others_lived(world)
    kept = [world.resource(update_id) for update_id in others]

    done = erase(world)

    assert done["status"] == "succeeded"
    assert done["updatesErased"] == len(ids) == 12
    assert done["userStatusesErased"] == 1
    assert NAME.lower() not in stored(world).lower().replace(f"x.{NAME.lower()}", "").replace(f"{NAME.lower()}.au", "")
    assert [world.resource(update_id) for update_id in others] == kept


def test_what_is_left_of_an_outcome_still_tells_what_became_of_it(world: World) -> None:
    """Ids, states, times, counts, codes; no member of a person's."""
    ids = lived(world)
    before = {update_id: world.resource(update_id) for update_id in ids}

    erase(world)

    for update_id in ids:
        was, is_ = before[update_id], world.resource(update_id)
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
    assert [update["id"] for update in after["value"]] == [update["id"] for update in before["value"]]
    _, from_hr = ask(world.relay.updates.list_updates, params={"source": "hr"})
    assert len(from_hr["value"]) == 1


def test_a_key_without_the_name_stays(world: World) -> None:
    """It is the sender's way to look the update up."""
    update_id = world.accept(userStatus=status(NAME), idempotencyKey="ticket-7")
    world.run()
    erase(world)
    assert world.resource(update_id)["idempotencyKey"] == "ticket-7"
    _, found = ask(world.relay.updates.list_updates, params={"idempotencyKey": "ticket-7"})
    assert [update["id"] for update in found["value"]] == [update_id]


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

    done = erase(world, **IDS | {"deviceCompliancePolicyId": POLICY.upper()})

    # Four accepted ones, and the unreadable ones that hold its ids, in UTF-16 too.
    assert (done["status"], done["updatesErased"], done["userStatusesErased"]) == ("succeeded", 8, 1)
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

    done = erase(world)

    assert (done["updatesErased"], done["userStatusesErased"]) == (1, 1)
    assert world.resource(unnamed)["userStatus"] is None
    assert NAME not in stored(world)


def test_an_erased_update_is_not_replayed(world: World) -> None:
    """Its message is gone: 409 says why, and a filter leaves it out."""
    world.graph.replies = [GraphReply(400, message="no")]
    update_id = world.accept(userStatus=status(NAME))
    world.run()
    erase(world)
    response, details = ask(world.relay.updates.replay_update, "POST", route_params={"id": update_id})
    assert problem(response) == (409, "notReplayable")
    assert "erased" in details["detail"]
    _, counted = ask(world.relay.updates.replay_updates, "POST", {"status": "failed"})
    assert counted["matched"] == 0
    response, _ = ask(world.relay.updates.cancel_update, "POST", route_params={"id": update_id})
    assert problem(response) == (409, "tooLate")


def test_an_outcome_that_only_mentions_someone_does_not_take_its_user_status_along(world: World) -> None:
    """The error of another's update names her: that text goes, the other's reports stay."""
    others = world.accept(deviceComplianceUserStatusId="bob", userStatus=status("bob@contoso.com", 1))
    world.run()
    world.graph.replies = [GraphReply(400, message=f"Assigned to {NAME} already.")]
    refused = world.accept(deviceComplianceUserStatusId="bob", userStatus=status("bob@contoso.com", 2))
    world.run()
    done = erase(world)
    assert (done["updatesErased"], done["userStatusesErased"]) == (1, 0)
    assert world.resource(refused)["userStatus"] is None
    assert world.resource(others)["userStatus"] is not None
    assert in_api(world, "bob")["properties"]["userPrincipalName"]["confirmed"]["value"] == "bob@contoso.com"


def test_somebody_unknown_is_erased_at_once(world: World) -> None:
    """Nothing was found: the caller learns no more than that."""
    done = erase(world, userPrincipalName="nobody@contoso.com")
    assert (done["status"], done["updatesErased"], done["userStatusesErased"]) == ("succeeded", 0, 0)
