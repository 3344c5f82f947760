"""What the audit says after each action, and how it is listed."""

import json
from datetime import timedelta
from typing import Any

import pytest
from azure.functions import HttpResponse

from shared.core.audit import Action
from shared.core.delivery.graph_reply import GraphReply
from shared.service.ports.storage import Unavailable
from tests.builders import NOW, POLICY, an_id
from tests.web.caller import BASE, answered, ask, problem, request, route_of
from tests.web.principals import ADA, by_token, entra_world
from tests.web.test_operations import a_schema
from tests.world import World

AUDIT = f"{BASE}/api/audit"
NAME = "ada.lovelace@contoso.com"


def records(world: World, headers: dict[str, str] | None = None, **params: str) -> list[dict[str, Any]]:
    """Return a page of the audit."""
    response, body = ask(world.relay.audit_records.list_audit, url=AUDIT, params=params, headers=headers)
    assert response.status_code == 200, body
    assert a_schema("AuditList").is_valid(body)
    value: list[dict[str, Any]] = body["value"]
    return value


def what(world: World) -> list[tuple[str, str | None, str]]:
    """Return action, target and result of each record, oldest first."""
    return [(record["action"], record["target"], record["result"]) for record in reversed(records(world))]


def act(world: World, name: str, update_id: str) -> HttpResponse:
    """Cancel or replay one update."""
    call = request("POST", route_params={"id": update_id})
    return answered(getattr(world.relay.updates, f"{name}_update")(call))


def test_each_cancel_and_replay_leaves_one_record(world: World) -> None:
    """What came of it, also where it was refused."""
    update_id, gone = world.accept(), an_id(99)
    statuses = [
        act(world, "replay", update_id).status_code,
        act(world, "cancel", update_id).status_code,
        act(world, "replay", update_id).status_code,
        act(world, "cancel", gone).status_code,
    ]
    assert statuses == [409, 200, 202, 404]
    assert what(world) == [
        ("replay", update_id, "refused"),
        ("cancel", update_id, "succeeded"),
        ("replay", update_id, "succeeded"),
        ("cancel", gone, "notFound"),
    ]


def test_a_replay_by_filter_leaves_one_record_and_a_dry_run_none(world: World) -> None:
    """The filter may name a person, so it is not in it."""
    filters = {"deviceComplianceUserStatusId": NAME}
    ask(world.relay.updates.replay_updates, "POST", {**filters, "dryRun": True})
    assert what(world) == []
    response, _ = ask(world.relay.updates.replay_updates, "POST", filters)
    assert response.status_code == 202
    assert what(world) == [("replay", None, "succeeded")]


def test_an_erasures_record_says_only_that_one_was_made(world: World) -> None:
    """Neither whom it is about nor where to find it."""
    _, erasure = ask(world.relay.erasures.post_erasure, "POST", {"userPrincipalName": NAME})
    assert what(world) == [("erase", None, "succeeded")]
    text = json.dumps(records(world))
    assert NAME not in text
    assert erasure["id"] not in text


@pytest.mark.parametrize(
    ("reply", "result"),
    [(GraphReply(200), "succeeded"), (GraphReply(400, code="BadRequest", message="no"), "failed")],
)
def test_the_doctors_probe_leaves_one_record_and_its_other_checks_none(
    world: World, reply: GraphReply, result: str
) -> None:
    """With the policy; the id of a user status may name a person."""
    ask(world.relay.doctor.get_doctor)
    assert what(world) == []
    world.graph.state[POLICY, NAME] = {"status": "compliant"}
    world.graph.replies = [reply]
    ask(world.relay.doctor.get_doctor, params=route_of(POLICY, NAME))
    assert what(world) == [("probe", POLICY, result)]
    assert NAME not in json.dumps(records(world))


def test_a_request_that_is_refused_before_it_acts_leaves_none(world: World) -> None:
    """A body that is none, an id that is none, an unknown query."""
    ask(world.relay.updates.replay_updates, "POST", {"status": 1})
    ask(world.relay.erasures.post_erasure, "POST", {})
    act(world, "cancel", "x")
    ask(world.relay.doctor.get_doctor, params={"deviceCompliancePolicyId": "x"})
    assert what(world) == []


def test_the_record_names_the_caller_where_it_was_established(world: World) -> None:
    """With a function key alone nobody knows who it was, and a forged header says nothing."""
    entra, headers = entra_world(), by_token("Updates.Operate")
    for each in (entra, world):
        params = {"id": each.accept()}
        ask(each.relay.updates.cancel_update, "POST", headers=headers, route_params=params)
    assert [record["by"] for record in records(entra, headers)] == [ADA]
    assert [record["by"] for record in records(world)] == [None]
    assert "ada@contoso.com" not in json.dumps(records(entra, headers))


def test_an_action_whose_record_cannot_be_written_does_not_happen(world: World) -> None:
    """503; whoever asked asks again."""
    update_id = world.accept()

    def down(*_: object) -> None:
        raise Unavailable("table")

    world.audit.append = down  # type: ignore[method-assign]
    assert problem(act(world, "cancel", update_id)) == (503, "storageUnavailable")
    assert world.resource(update_id)["status"] == "notStarted"


def test_the_list_pages_newest_first_by_action_and_time(world: World) -> None:
    """Following nextLink visits every match once."""
    for _ in range(5):
        act(world, "cancel", world.accept())
        world.clock.step(minutes=1)
    ask(world.relay.erasures.post_erasure, "POST", {"userPrincipalName": NAME})
    params: dict[str, str] = {"action": "cancel", "top": "2", "createdBefore": f"{NOW + timedelta(minutes=4):%FT%TZ}"}
    found, url = [], AUDIT
    while url:
        response, body = ask(world.relay.audit_records.list_audit, url=url, params=params)
        assert response.status_code == 200
        found += [record["createdDateTime"] for record in body["value"]]
        url, params = body.get("nextLink", ""), {}
    assert found == [f"2026-11-23T20:{30 + n}:00.000Z" for n in (3, 2, 1, 0)]
    after = {"createdAfter": f"{NOW + timedelta(minutes=4):%FT%TZ}"}
    assert [record["action"] for record in records(world, **after)] == ["erase", "cancel"]


@pytest.mark.parametrize(
    "params",
    [
        {"action": "read"},
        {"action": "Cancel"},
        {"createdAfter": "yesterday"},
        {"top": "0"},
        {"top": "1001"},
        {"status": "failed"},
        {"continuation": "x"},
    ],
)
def test_a_bad_query_is_refused(world: World, params: dict[str, str]) -> None:
    """400, as of the list of updates."""
    response, _ = ask(world.relay.audit_records.list_audit, url=AUDIT, params=params)
    assert problem(response) == (400, "invalidQuery")


def test_every_action_can_be_filtered_by(world: World) -> None:
    """A new action needs its line in the enumeration alone."""
    assert [records(world, action=action.value) for action in Action] == [[]] * len(Action)
