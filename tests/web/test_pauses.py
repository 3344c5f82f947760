"""Pauses over HTTP: beginning, looking, ending and canceling."""

from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest

from shared.core.basics.timestamp import format_milliseconds
from shared.core.pause import MAX_PAUSES, Kind, Pause, Scope
from tests.builders import NOW, POLICY, a_message, an_id
from tests.web.caller import BASE, answered, ask, get, problem, request
from tests.web.principals import ADA, by_token, entra_world
from tests.web.test_operations import a_schema
from tests.world import World

PAUSES = f"{BASE}/api/pauses"
WHY = {"reason": "maintenance"}


def begin(world: World, **members: Any) -> tuple[func.HttpResponse, Any]:
    """POST a pause."""
    return ask(world.relay.pauses.post_pause, "POST", WHY | members, url=PAUSES)


def call(world: World, name: str, pause_id: str) -> func.HttpResponse:
    """Call an operation on one pause."""
    return answered(getattr(world.relay.pauses, name)(request("POST", url=PAUSES, route_params={"id": pause_id})))


def listed(world: World) -> list[dict[str, Any]]:
    """GET all pauses."""
    _, body = ask(world.relay.pauses.list_pauses, url=PAUSES)
    assert a_schema("PauseList").is_valid(body)
    value: list[dict[str, Any]] = body["value"]
    return value


def test_a_pause_is_made_listed_and_ended(world: World) -> None:
    """With all its members; ending it twice is a 404."""
    ends = format_milliseconds(NOW + timedelta(hours=1))
    scope = {"deviceCompliancePolicyId": POLICY, "source": "hr", "status": "error"}
    response, body = begin(world, scope=scope, endsDateTime=ends)
    assert response.status_code == 201
    assert response.headers["Location"] == f"{PAUSES}/{body['id']}"
    assert body == {
        "id": body["id"],
        "kind": "operator",
        **WHY,
        "scope": scope,
        "createdBy": None,
        "createdDateTime": format_milliseconds(NOW),
        "endsDateTime": ends,
        "heldCount": 0,
    }
    assert listed(world) == [body]
    _, found = ask(world.relay.pauses.get_pause, url=PAUSES, route_params={"id": body["id"]})
    assert found == body
    ended = call(world, "end_pause", body["id"])
    assert (ended.status_code, ended.get_body()) == (204, b"")
    assert listed(world) == []
    for name in ("end_pause", "get_pause", "cancel_paused_updates"):
        assert problem(call(world, name, body["id"])) == (404, "notFound")
        assert problem(call(world, name, an_id(99))) == (404, "notFound")
        assert problem(call(world, name, "x")) == (404, "notFound")


def test_held_updates_are_counted_listed_and_canceled(world: World) -> None:
    """By the list's filter statusDetail too."""
    _, body = begin(world)
    ids = [world.accept(deviceComplianceUserStatusId=f"user-{n}") for n in range(3)]
    world.run()
    assert [shown["heldCount"] for shown in listed(world)] == [3]
    _, page = ask(world.relay.updates.list_updates, params={"statusDetail": "held"})
    assert [update["id"] for update in page["value"]] == ids[::-1]
    assert {update["heldBy"] for update in page["value"]} == {body["id"]}
    _, shown = get(world, ids[0])
    assert a_schema("UpdateResource").is_valid(shown)
    assert call(world, "cancel_paused_updates", body["id"]).status_code == 202
    assert {world.resource(update_id)["status"] for update_id in ids} == {"canceled"}
    assert listed(world) == []


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"endsDateTime": format_milliseconds(NOW)}, "/endsDateTime"),
        ({"endsDateTime": "soon"}, "/endsDateTime"),
        ({"scope": {"user": "x"}}, "/scope/user"),
        ({"scope": {"status": "Compliant"}}, "/scope/status"),
        ({"scope": {"deviceCompliancePolicyId": "x"}}, "/scope/deviceCompliancePolicyId"),
        ({"reason": ""}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"kind": "brake"}, "/kind"),
    ],
)
def test_a_bad_pause_is_refused(world: World, members: dict[str, Any], pointer: str) -> None:
    """400 at the member to blame; nothing is paused."""
    response, body = begin(world, **members)
    assert problem(response) == (400, "invalidMessage")
    assert [fault["pointer"] for fault in body["errors"]] == [pointer]
    assert listed(world) == []


def test_there_are_only_so_many_pauses(world: World) -> None:
    """The next one is a 409; once one ends there is room."""
    ids = [begin(world)[1]["id"] for _ in range(MAX_PAUSES)]
    response, _ = begin(world)
    assert problem(response) == (409, "tooManyPauses")
    call(world, "end_pause", ids[0])
    assert begin(world)[0].status_code == 201


def test_the_audit_names_who_paused_and_resumed() -> None:
    """Each action leaves one record with the pause's id."""
    world, headers = entra_world(), by_token("Updates.Operate")
    _, body = ask(world.relay.pauses.post_pause, "POST", WHY, url=PAUSES, headers=headers)
    assert body["createdBy"] == ADA
    for name in ("cancel_paused_updates", "end_pause"):
        params = {"id": body["id"]}
        answered(getattr(world.relay.pauses, name)(request("POST", url=PAUSES, headers=headers, route_params=params)))
    _, audit = ask(world.relay.audit_records.list_audit, url=f"{BASE}/api/audit", headers=headers)
    assert [(record["action"], record["target"], record["by"], record["result"]) for record in audit["value"]] == [
        ("resume", body["id"], ADA, "notFound"),
        ("cancelUpdates", body["id"], ADA, "succeeded"),
        ("pause", body["id"], ADA, "succeeded"),
    ]


def test_a_reader_sees_pauses_and_may_not_make_them() -> None:
    """403."""
    world, headers = entra_world(), by_token("Updates.Read")
    assert ask(world.relay.pauses.list_pauses, url=PAUSES, headers=headers)[0].status_code == 200
    response, _ = ask(world.relay.pauses.post_pause, "POST", WHY, url=PAUSES, headers=headers)
    assert problem(response) == (403, "forbidden")


def test_stats_and_doctor_know_of_pauses(world: World) -> None:
    """A pause of an operator is meant; one of the brake needs a decision."""

    def seen() -> tuple[Any, str]:
        _, stats = ask(world.relay.stats.get_stats)
        assert a_schema("Stats").is_valid(stats)
        _, doctor = ask(world.relay.doctor.get_doctor)
        (finding,) = [check for check in doctor["checks"] if check["name"] == "pauses"]
        return stats["pauses"], finding["status"]

    assert seen() == ({"count": 0, "brakedStatuses": []}, "ok")
    begin(world)
    assert seen() == ({"count": 1, "brakedStatuses": []}, "ok")
    scope = Scope(status="error")
    world.pauses.insert(Pause(an_id(1), Kind.BRAKE, "So many.", scope, None, None, NOW))
    world.clock.step(seconds=3)
    assert seen() == ({"count": 2, "brakedStatuses": ["error"]}, "failing")
    assert listed(world)[0]["kind"] == "brake"


def test_a_validation_names_the_pause_that_would_hold_the_update(world: World) -> None:
    """Then nobody knows when its turn would come."""
    _, body = begin(world, scope={"source": "hr"})
    for source, pause_id in (("hr", body["id"]), ("it", None)):
        _, forecast = ask(world.relay.validation.post_validation, "POST", a_message(source=source))
        assert forecast["heldBy"] == pause_id
        assert (forecast["estimatedDeliveryDateTime"] is None) is (source == "hr")
