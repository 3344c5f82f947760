"""When a write is applied, against when it is answered."""

from contextlib import suppress
from typing import Any

import pytest
import requests

from emulator.stack import EmulatedGraph, until
from tests.emulator.callers import GraphCaller

SOON = 0.2
LONG = 3600


def pass_time(graph: EmulatedGraph) -> None:
    """Do at once what waits for its time."""
    assert graph.control("POST", "postponed")["count"]


def devices(graph: EmulatedGraph) -> int | None:
    """Return what Graph shows."""
    found = graph.statuses().get("u0")
    return found["devicesCount"] if found else None


@pytest.mark.parametrize("status", [200, 408, 500, 502, 504])
def test_a_write_lands_after_its_answer(graph: EmulatedGraph, caller: GraphCaller, status: int) -> None:
    """The record says when it was answered and when it was applied."""
    graph.fault("status", status=status, landsAfterSeconds=SOON)
    assert caller.write(3).status_code == status
    until(lambda: devices(graph) == 3, 10, "the landing")
    (write,) = graph.writes()
    assert write["start"] <= write["end"] < write["applied"]


@pytest.mark.parametrize(
    "fault", [{"kind": "reset"}, {"kind": "raw"}, {"kind": "hang"}, {"kind": "cut", "status": 200}]
)
def test_a_write_lands_without_a_whole_answer(graph: EmulatedGraph, caller: GraphCaller, fault: dict[str, Any]) -> None:
    """The client sees a broken connection, or its own limit."""
    graph.fault(**fault, landsAfterSeconds=SOON)
    with pytest.raises(requests.RequestException):
        caller.write(3, timeout=0.1)
    until(lambda: devices(graph) == 3, 10, "the landing")


def test_a_reset_can_follow_the_landing(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Zero seconds: applied just before the answer."""
    graph.fault("reset", landsAfterSeconds=0)
    with pytest.raises(requests.ConnectionError):
        caller.write(3)
    assert devices(graph) == 3
    assert graph.writes()[0]["status"] is None


@pytest.mark.parametrize("kind", ["status", "reset", "hang", "raw", "firewall", "errorInSuccess"])
def test_without_a_landing_nothing_is_ever_applied(graph: EmulatedGraph, caller: GraphCaller, kind: str) -> None:
    """So that the next write overlaps with none."""
    graph.fault(kind)
    with suppress(requests.RequestException):
        caller.write(3, timeout=0.2)
    caller.write(4)
    first, second = graph.writes()
    assert (first["applied"], second["overlap"], devices(graph)) == (None, False, 4)


def test_an_older_write_that_lands_after_a_newer_one_is_counted(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """The newer one overlaps with it, and Graph keeps the older value."""
    graph.fault("status", status=504, landsAfterSeconds=LONG)
    caller.write(1)
    caller.write(2)
    assert devices(graph) == 2
    pass_time(graph)
    assert devices(graph) == 1
    first, second = graph.writes()
    assert (first["appliedOrder"], second["appliedOrder"], second["overlap"]) == (2, 1, True)
    summary = graph.summary()
    assert (summary["outOfOrder"], summary["overlaps"]) == (1, 1)


def test_a_write_after_the_landing_is_in_order(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """It overlaps with nothing."""
    graph.fault("status", status=504, landsAfterSeconds=LONG)
    caller.write(1)
    pass_time(graph)
    caller.write(2)
    summary = graph.summary()
    assert (summary["outOfOrder"], summary["overlaps"], devices(graph)) == (0, 0, 2)


def test_writes_are_counted_by_window(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """The fullest one, of any length."""
    for number in range(3):
        caller.write(number)
    wide, narrow = (graph.control("GET", f"summary?windowSeconds={seconds}") for seconds in (LONG, 0.000001))
    assert (wide["worstWindow"], narrow["worstWindow"]) == (3, 1)


def test_a_hanging_call_ends_when_the_client_leaves(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """The record shows how long the client waited."""
    graph.fault("hang")
    with pytest.raises(requests.Timeout):
        caller.write(timeout=0.3)
    until(lambda: graph.writes()[0]["end"] is not None, 10, "the end")
    (write,) = graph.writes()
    assert write["status"] is None


def test_a_reverted_write_is_shown_first_and_taken_back(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Graph calculates the value itself."""
    caller.write(1)
    graph.fault("revert", seconds=LONG)
    assert caller.write(2).json()["devicesCount"] == 2
    assert caller.read().json()["devicesCount"] == 2
    pass_time(graph)
    assert caller.page().json()["value"][0]["devicesCount"] == 1
    write = graph.writes()[1]
    assert write["applied"] < write["reverted"]


def test_a_reverted_write_can_show_a_third_value(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Without an old value too."""
    graph.fault("revert", seconds=0, to={"devicesCount": 9})
    caller.write(2)
    until(lambda: devices(graph) == 9, 10, "the calculated value")


def test_a_newer_write_is_not_reverted_with_an_older_one(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Exactly the reverted one goes back."""
    graph.fault("revert", count=2, seconds=LONG)
    caller.write(1)
    caller.write(5, user="other")
    caller.write(2)
    pass_time(graph)
    assert "other" not in graph.statuses()
    assert devices(graph) == 2
    assert [write["reverted"] is not None for write in graph.writes()] == [False, True, False]
