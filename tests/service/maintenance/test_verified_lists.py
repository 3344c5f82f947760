"""Lists that verification cannot read at once, or not at all: they never say that a value was overwritten."""

from dataclasses import replace

import pytest

from shared.core.delivery.graph_reply import GraphReply
from tests.service.maintenance.verified import delivered, reverted, states, swept, verifying
from tests.world import World

OTHER = "4f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


@pytest.fixture
def world() -> World:
    """A relay that verifies after a minute."""
    return verifying()


@pytest.mark.parametrize(
    "broken",
    [
        GraphReply(500),
        GraphReply(404, code="ResourceNotFound"),
        GraphReply(200, result={"value": 3}),
        GraphReply(None),
    ],
)
def test_a_list_that_cannot_be_read_whole_judges_nobody(world: World, broken: GraphReply) -> None:
    """Not even those on the pages before; it is read again, and after a minute they are unknown."""
    ids = delivered(world, "a", "b", "c")
    reverted(world, "a")
    first = {"value": [{"id": "a", "status": "nonCompliant"}], "@odata.nextLink": "from-2"}
    world.graph.list_replies = [GraphReply(200, result=first), broken] * 2
    assert swept(world) == 0
    assert states(world, ids) == [None] * 3
    assert swept(world) == 3
    assert states(world, ids) == ["unknown"] * 3


def test_a_list_that_works_again_is_judged(world: World) -> None:
    """From its first page."""
    ids = delivered(world, "a", "b", "c")
    world.graph.list_replies = [GraphReply(500)]
    assert swept(world) == 0
    assert swept(world) == 3
    assert states(world, ids) == ["confirmed"] * 3


def test_retry_after_is_honoured_however_long_it_is(world: World) -> None:
    """Meanwhile no list is read, and nothing becomes unknown."""
    ids = delivered(world, "a")
    world.graph.list_replies = [GraphReply(429, retry_after_seconds=600.0)]
    assert swept(world) == 0
    assert swept(world, minutes=5) == 0
    assert len(world.graph.lists) == 1
    assert swept(world, minutes=6) == 1
    assert states(world, ids) == ["confirmed"]


def test_without_a_token_nothing_is_judged(world: World) -> None:
    """The updates stay due."""
    ids = delivered(world, "a")
    world.identity.fault = "no identity"
    assert swept(world, minutes=10) == 0
    world.identity.fault = None
    assert swept(world) == 1
    assert states(world, ids) == ["confirmed"]


def test_each_policy_has_its_own_list_and_verdict(world: World) -> None:
    """One that is broken disturbs no other."""
    first, second = delivered(world, "a"), delivered(world, "a", policy=OTHER)
    world.graph.list_replies = [GraphReply(500)]
    assert swept(world) == 1
    assert states(world, first + second) == [None, "confirmed"]


def test_a_list_too_long_for_a_sweep_goes_on_with_the_next(world: World) -> None:
    """What becomes due meanwhile waits for the list after that."""
    ids = delivered(world, *"abcdefg")
    world.clock.step(seconds=61)
    sweep = replace(world.relay.verify, max_pages=2)
    assert sweep() == 0
    assert [link for _, link, _ in world.graph.lists] == [None, "from-2"]
    later = delivered(world, "a", status="error")
    world.clock.step(seconds=61)
    assert sweep() == 7
    assert [link for _, link, _ in world.graph.lists] == [None, "from-2", "from-4", "from-6"]
    assert states(world, ids) == ["confirmed"] * 7
    assert states(world, later) == [None]


def test_another_process_begins_with_the_first_page(world: World) -> None:
    """Nothing is lost with the one that ended."""
    ids = delivered(world, *"abcde")
    world.clock.step(seconds=61)
    assert replace(world.relay.verify, max_pages=2, readings={})() == 0
    assert world.relay.verify() == 5
    assert [link for _, link, _ in world.graph.lists] == [None, "from-2", None, "from-2", "from-4"]
    assert states(world, ids) == ["confirmed"] * 5
