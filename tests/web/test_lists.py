"""The list of updates: its pages, its filters, and queries that are refused."""

import json
from typing import Any

import azure.functions as func
import pytest

from tests.builders import POLICY, USER
from tests.web.caller import URL, answered, problem, request
from tests.world import World


def page(world: World, **params: str) -> tuple[func.HttpResponse, dict[str, Any]]:
    """GET the list."""
    response = world.relay.updates.list_updates(request("GET", params=params))
    return response, json.loads(response.get_body())


def test_the_list_pages_and_filters(world: World) -> None:
    """Newest first, nextLink absolute and without the caller's key."""
    ids = []
    for n in range(5):
        ids.append(world.accept(source="hr" if n % 2 else "mdm"))
        world.clock.step(seconds=1)

    response, body = page(world, top="2", code="s3cret", source="mdm")

    assert response.status_code == 200
    assert [update["id"] for update in body["value"]] == [ids[4], ids[2]]
    assert body["nextLink"].startswith(f"{URL}?")
    assert "s3cret" not in body["nextLink"]
    assert "attempts" not in body["value"][0]
    query = dict(part.split("=") for part in body["nextLink"].partition("?")[2].split("&"))
    _, rest = page(world, **query)
    assert [update["id"] for update in rest["value"]] == [ids[0]]
    assert "nextLink" not in rest


@pytest.mark.parametrize(
    "params",
    [
        {"top": "0"},
        {"top": "1001"},
        {"top": "x"},
        {"status": "done"},
        {"stauts": "failed"},
        {"statusDetail": "x"},
        {"createdAfter": "yesterday"},
        {"continuation": "x"},
        {"source": ""},
        {"status": ""},
        {"createdAfter": ""},
        {"top": ""},
        {"deviceCompliancePolicyId": "x"},
        {"deviceComplianceUserStatusId": "a/b"},
        {"source": "a b"},
        {"deviceCompliancePolicyId": POLICY + " "},
    ],
)
def test_a_bad_query_is_refused(world: World, params: dict[str, str]) -> None:
    """Also one that nobody would notice."""
    assert page(world, **params)[0].status_code == 400


def test_the_list_knows_every_status(world: World) -> None:
    """A combination that no update has is an empty list."""
    done = world.accept()
    world.run()
    waiting = world.accept(deviceComplianceUserStatusId="other")

    assert [update["id"] for update in page(world, status="succeeded")[1]["value"]] == [done]
    assert [update["id"] for update in page(world, status="notStarted", statusDetail="queued")[1]["value"]] == [waiting]
    assert page(world, status="failed", statusDetail="queued")[1]["value"] == []
    assert len(page(world, deviceCompliancePolicyId=POLICY.upper())[1]["value"]) == 2
    assert [update["id"] for update in page(world, deviceComplianceUserStatusId=USER)[1]["value"]] == [done]
    assert page(world, createdAfter="2026-11-23T20:30:00+00:00")[1]["value"]
    assert not page(world, createdAfter="2026-11-23 21:30:00Z".replace(" ", "T"))[1]["value"]


def test_a_filter_that_comes_twice_is_refused(world: World) -> None:
    """The host would join its values by a comma."""
    twice = request("GET", url=f"{URL}?status=failed&status=canceled", params=None)
    response = answered(world.relay.updates.list_updates(twice))
    assert problem(response) == (400, "invalidQuery")


def test_a_filter_takes_any_offset_of_rfc_3339(world: World) -> None:
    """Unlike a report's time; a plus sign may come as it is."""
    world.accept()
    for moment in ("2026-11-24T19:00:00+23:59", "2026-11-23 00:00:00-23:59".replace(" ", "T")):
        assert page(world, createdAfter=moment)[0].status_code == 200
    unencoded = request("GET", url=f"{URL}?createdAfter=2026-11-23T20:00:00+00:00")
    assert json.loads(answered(world.relay.updates.list_updates(unencoded)).get_body())["value"]
