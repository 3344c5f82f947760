"""Lists of user statuses that lead in circles, leave entries out, or fail in the middle."""

from urllib.parse import unquote

import pytest

from emulator.stack import EmulatedGraph, until
from tests.builders import POLICY
from tests.emulator.callers import GraphCaller

ALL = ["u0", "u1", "u2"]


@pytest.fixture
def caller(graph: EmulatedGraph) -> GraphCaller:
    """Return a caller of a Graph with three user statuses on two pages."""
    graph.config(pageSize=2)
    held = [{"policyId": POLICY, "id": user, "userPrincipalName": f"{user}@contoso.example"} for user in ALL]
    graph.control("PUT", "state", {"value": held})
    return GraphCaller(graph.base_url)


def walk(caller: GraphCaller, pages: int) -> tuple[list[str], list[list[str]]]:
    """Follow at most so many links; return the addresses of the pages, and the ids on them."""
    page = caller.page(**{"$select": "id"})
    addresses, ids = [unquote(str(page.url))], [[status["id"] for status in page.json()["value"]]]
    while len(ids) < pages and (link := page.json().get("@odata.nextLink")):
        page = caller.page(link)
        addresses.append(unquote(str(page.url)))
        ids.append([status["id"] for status in page.json()["value"]])
    return addresses, ids


@pytest.mark.parametrize(
    ("to", "expected", "different"),
    [
        ("self", [["u0", "u1"]] * 4, 1),
        ("first", [["u0", "u1"], ["u2"], ["u0", "u1"], ["u2"]], 2),
        ("again", [["u0", "u1"]] * 4, 4),
        ("endless", [["u0", "u1"], ["u2"], [], []], 4),
    ],
)
def test_links_without_an_end(
    graph: EmulatedGraph, caller: GraphCaller, to: str, expected: list[list[str]], different: int
) -> None:
    """Some repeat addresses, some do not."""
    graph.fault("nextLink", count=None, to=to)
    addresses, ids = walk(caller, 4)
    assert ids == expected
    assert len(set(addresses)) == different


def test_a_link_can_be_any_text(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Also one that is no address."""
    graph.fault("nextLink", to="not an address")
    assert caller.page().json()["@odata.nextLink"] == "not an address"


def test_a_link_can_name_another_host(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """The path and the query are the usual ones; the last page has none."""
    usual = caller.page().json()["@odata.nextLink"]
    graph.fault("otherHost", count=None)
    link = caller.page().json()["@odata.nextLink"]
    assert link == usual.replace(graph.base_url, "https://graph.microsoft.com")
    assert "@odata.nextLink" not in caller.page(link.replace("https://graph.microsoft.com", graph.base_url)).json()


@pytest.mark.parametrize("status", [400, 500, 501])
def test_a_list_can_refuse_a_selection(graph: EmulatedGraph, caller: GraphCaller, status: int) -> None:
    """Without one it answers."""
    graph.fault("status", count=None, status=status, match={"query": "$select"})
    assert caller.page(**{"$select": "id"}).status_code == status
    assert len(caller.page().json()["value"]) == 2


def test_the_second_page_can_fail(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """As often as asked."""
    graph.fault("status", status=500, match={"operation": "list", "page": 2})
    link = caller.page().json()["@odata.nextLink"]
    assert [caller.page(link).status_code for _ in range(2)] == [500, 200]


def test_entries_can_be_missing_for_some_reads(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """By id or by name."""
    graph.fault("missing", count=2, entries=["u0", "u2@contoso.example"])
    first = caller.page().json()
    assert [status["id"] for status in first["value"]] == ["u1"]
    assert caller.page(first["@odata.nextLink"]).json()["value"] == []
    assert walk(caller, 4)[1] == [["u0", "u1"], ["u2"]]


def test_entries_can_be_missing_for_a_time(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """As a new user's."""
    graph.fault("missing", count=None, entries=["u1"], forSeconds=0.3)
    assert walk(caller, 4)[1] == [["u0"], ["u2"]]
    until(lambda: walk(caller, 4)[1] == [["u0", "u1"], ["u2"]], 10, "the entry")
