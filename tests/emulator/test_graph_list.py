"""The emulated Graph's lists are as strict as its writes."""

from collections.abc import Iterator

import pytest
import requests

from emulator.stack import EmulatedGraph, started
from tests.builders import POLICY
from tests.emulator.callers import GraphCaller


@pytest.fixture(scope="module")
def graph() -> Iterator[EmulatedGraph]:
    """Five user statuses of a policy, on pages of two."""
    with started(EmulatedGraph()) as part:
        part.config(pageSize=2)
        part.control("PUT", "state", {"value": [{"policyId": POLICY, "id": f"u{n}"} for n in range(5)]})
        yield part


def listed(graph: EmulatedGraph, url: str = "", **query: str) -> requests.Response:
    """Return a page."""
    return GraphCaller(graph.base_url).page(url, **query)


def test_following_the_links_visits_all_once(graph: EmulatedGraph) -> None:
    """With the same selection on every page."""
    page = listed(graph, **{"$select": "id"}).json()
    pages = [page["value"]]
    while "@odata.nextLink" in page:
        page = listed(graph, page["@odata.nextLink"]).json()
        pages.append(page["value"])
    assert pages == [[{"id": "u0"}, {"id": "u1"}], [{"id": "u2"}, {"id": "u3"}], [{"id": "u4"}]]


@pytest.mark.parametrize(
    "query", [{"$select": "id,nothing"}, {"$top": "0"}, {"$top": "x"}, {"$filter": "id eq 'u0'"}, {"$skiptoken": "-1"}]
)
def test_what_it_does_not_know_it_refuses(graph: EmulatedGraph, query: dict[str, str]) -> None:
    """Rather than leaving it out of account."""
    assert listed(graph, **query).status_code == 400


def test_the_size_of_a_page_can_be_asked_for(graph: EmulatedGraph) -> None:
    """By ``$top``."""
    assert len(listed(graph, **{"$top": "4"}).json()["value"]) == 4


def test_a_strict_graph_knows_which_policies_exist(graph: EmulatedGraph) -> None:
    """404 for the others."""
    graph.config(strictIds=True)
    other = graph.base_url + "/beta/deviceManagement/deviceCompliancePolicies/other/userStatuses"
    assert listed(graph, other).status_code == 404
    graph.config(strictIds=False)
    assert listed(graph, other).json()["value"] == []
