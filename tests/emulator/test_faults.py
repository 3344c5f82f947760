"""Which request meets which fault."""

from typing import Any

import pytest
import requests

from emulator.graph_faults import KINDS
from emulator.stack import ROOT, EmulatedGraph, until
from tests.builders import POLICY
from tests.emulator.callers import GraphCaller

OTHER = "4f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


def test_faults_are_met_in_their_order_and_so_often_as_asked(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Several can be sent at once."""
    graph.control("POST", "faults", [{"kind": "status", "status": 503, "count": 2}, {"kind": "noRoute"}])
    assert [caller.write().status_code for _ in range(4)] == [503, 503, 400, 200]
    assert [call["fault"] for call in graph.writes()] == ["status", "status", "noRoute", None]


def calls(caller: GraphCaller) -> dict[str, requests.Response]:
    """Make one call of each kind."""
    return {
        "write": caller.write(),
        "other policy": caller.write(policy=OTHER),
        "other user": caller.write(user="u1"),
        "read": caller.read(),
        "list": caller.page(),
        "selected list": caller.page(**{"$select": "id"}),
        "second page": caller.page(**{"$top": "1", "$skiptoken": "1"}),
        "policies": caller.policies(),
    }


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ({}, {"write", "other policy", "other user", "read", "list", "selected list", "second page"}),
        ({"policyId": OTHER}, {"other policy"}),
        ({"userStatusId": "u1"}, {"other user"}),
        ({"userStatusId": ["u0", "u1"], "operation": "write"}, {"write", "other policy", "other user"}),
        ({"operation": "write", "policyId": POLICY}, {"write", "other user"}),
        ({"operation": "read"}, {"read"}),
        ({"operation": "list"}, {"list", "selected list", "second page"}),
        ({"method": "GET", "query": "$select"}, {"selected list"}),
        ({"operation": "list", "page": 2}, {"second page"}),
    ],
)
def test_a_filter_chooses_the_requests(
    graph: EmulatedGraph, caller: GraphCaller, match: dict[str, Any], met: set[str]
) -> None:
    """The others are answered as usual."""
    graph.fault("status", count=None, status=403, match=match)
    refused = {name for name, response in calls(caller).items() if response.status_code == 403}
    assert refused == met if match else refused >= met


def test_a_fault_ends_after_its_time(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Without anybody asking for it."""
    graph.fault("status", count=None, status=503, forSeconds=0.3)
    assert caller.write().status_code == 503
    until(lambda: caller.write().status_code == 200, 10, "the end of the fault")


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "nothing"}, "truncated"),
        ({"kind": "reset", "landAfterSeconds": 1}, "landsAfterSeconds"),
        ({"kind": "reset", "match": {"user": "u0"}}, "userStatusId"),
    ],
)
def test_a_misspelled_fault_is_refused_with_what_is_known(
    graph: EmulatedGraph, fault: dict[str, Any], word: str
) -> None:
    """A fault that is silently ignored would make a test pass for the wrong reason."""
    answer = requests.post(f"{graph.base_url}/_emulator/faults", json=fault, timeout=10)
    assert answer.status_code == 400
    assert word in answer.json()["error"]


def test_every_kind_is_documented() -> None:
    """Those who test find it in docs/emulator.md."""
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    assert [name for name in KINDS if f"`{name}`" not in page] == []
