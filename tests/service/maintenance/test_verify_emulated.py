"""Verification over the real client, against an emulated Graph that takes values back."""

import time
import uuid
from collections.abc import Iterator

import pytest

from emulator.stack import EmulatedGraph, started, until
from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue
from shared.adapters.graph import GraphClient
from shared.wiring.services import Services
from tests.builders import POLICY
from tests.service.maintenance.verified import states, swept, verifying
from tests.world import World

USERS = [f"user-{n}" for n in range(40)]


@pytest.fixture(scope="module")
def graph() -> Iterator[EmulatedGraph]:
    """Pages of seven, and no quota."""
    with started(EmulatedGraph()) as part:
        part.config(pageSize=7, quota="")
        yield part


@pytest.fixture
def world(graph: EmulatedGraph) -> World:
    """A relay that verifies after a minute, with a Graph of its own users."""
    graph.mend()
    graph.control("DELETE", "state")
    value = [{"policyId": POLICY, "id": user, "userPrincipalName": f"{user}@contoso.example"} for user in USERS]
    graph.control("PUT", "state", {"value": value})
    world = verifying()
    world.identity.issued = issue(GRAPH_AUDIENCE, [WRITE_ROLE], now=time.time(), lifetime=600)
    client = GraphClient(
        root=graph.base_url,
        api_version="beta",
        timeout_seconds=20,
        pool_size=2,
        user_agent="test",
        clock=world.clock.now,
        new_guid=lambda: str(uuid.uuid4()),
    )
    world.relay = Services(world.relay.settings, **(world.ports() | {"graph": client}))
    return world


def delivered(world: World, n: int) -> list[str]:
    """Deliver an update of each user; their ids."""
    status = {"status": "compliant", "devicesCount": n, "lastReportedDateTime": "2026-11-23T20:30:00.1234567+02:00"}
    ids = [world.accept(deviceComplianceUserStatusId=user, userStatus=status) for user in USERS]
    world.run()
    return ids


def test_exactly_the_reverted_ones_are_overwritten(world: World, graph: EmulatedGraph) -> None:
    """Of all pages, and no write goes out."""
    graph.fault("revert", count=12, seconds=0)
    ids = delivered(world, 3)
    until(lambda: sum(write["reverted"] is not None for write in graph.writes()) == 12, 10, "the reverts")
    assert swept(world) == len(USERS)
    assert states(world, ids) == ["overwritten"] * 12 + ["confirmed"] * 28
    assert len(graph.writes()) == len(USERS)


def test_a_broken_next_page_judges_nobody(world: World, graph: EmulatedGraph) -> None:
    """The first pages show reverted values, but the list was not read whole."""
    graph.fault("revert", count=12, seconds=0)
    ids = delivered(world, 4)
    graph.fault("status", count=None, status=500, match={"operation": "list", "page": 3})
    assert swept(world) == 0
    assert swept(world) == len(USERS)
    assert states(world, ids) == ["unknown"] * len(USERS)
