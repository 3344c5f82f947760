"""``relay audit``: the records for people and machines."""

from collections.abc import Iterator

import pytest

from shared.core.audit import Action
from tests.relay.process import run
from tests.relay.relay_server import RelayServer, relay_server
from tests.world import World


@pytest.fixture
def relay(world: World) -> Iterator[RelayServer]:
    """Run a relay on which five actions were taken."""
    for number in range(5):
        action = Action.ERASE if number == 4 else Action.CANCEL
        world.relay.audit.of(action, None, lambda: "done", by=None)
        world.clock.step(minutes=1)
    with relay_server(world) as running:
        yield running


def test_audit_lists_what_was_done_newest_first(relay: RelayServer) -> None:
    """A table, or JSON of every page."""
    shown = run(relay.url, "audit", "--top", "2")
    assert shown.status == 0
    first, *_ = [line for line in shown.out.splitlines() if "succeeded" in line]
    assert "erase" in first
    assert "there are more: --all" in shown.err
    every = run(relay.url, "audit", "--top", "2", "--all", "--json").json["value"]
    assert [record["action"] for record in every] == ["erase", "cancel", "cancel", "cancel", "cancel"]


def test_audit_takes_the_lists_filters(relay: RelayServer) -> None:
    """The API says what is wrong with one that it does not know."""
    some = run(relay.url, "audit", "--action", "cancel", "--created-before", "2026-11-23T20:32:00Z", "--json").json
    assert [record["action"] for record in some["value"]] == ["cancel", "cancel"]
    refused = run(relay.url, "audit", "--action", "nonsense")
    assert refused.status == 1
    assert "action" in refused.err
