"""``relay pause``, ``pauses`` and ``resume``."""

from collections.abc import Iterator

import pytest

from shared.core.delivery.outcome import State
from tests.relay.process import run
from tests.relay.relay_server import RelayServer, relay_server
from tests.world import World


@pytest.fixture
def relay(world: World) -> Iterator[RelayServer]:
    """Run a relay."""
    with relay_server(world) as running:
        yield running


def held(relay: RelayServer) -> tuple[str, str]:
    """Pause a source, and accept an update of it; the ids of both."""
    pause = run(relay.url, "pause", "--reason", "a bug", "--source", "jamf", "--json").json
    update_id = relay.world.accept(source="jamf")
    relay.world.run()
    return pause["id"], update_id


def test_a_pause_is_listed_with_what_it_holds_until_it_is_resumed(relay: RelayServer) -> None:
    """Who, what, why, since when and how many."""
    assert "Nothing is paused." in run(relay.url, "pauses").out
    pause_id, update_id = held(relay)
    shown = run(relay.url, "pauses").out
    assert all(text in shown for text in (pause_id, "a bug", "source jamf"))
    assert [pause["heldCount"] for pause in run(relay.url, "pauses", "--json").json["value"]] == [1]
    resumed = run(relay.url, "resume", pause_id, "--yes")
    assert (resumed.status, "1 held update will be sent" in resumed.out) == (0, True)
    relay.world.run()
    assert relay.world.outcome(update_id).state is State.DELIVERED
    assert run(relay.url, "resume", pause_id, "--yes").status == 1


def test_what_a_pause_holds_can_be_canceled(relay: RelayServer) -> None:
    """With --cancel."""
    pause_id, update_id = held(relay)
    assert run(relay.url, "resume", pause_id, "--cancel", "--yes").status == 0
    assert relay.world.outcome(update_id).state is State.CANCELED


def test_nothing_happens_without_a_confirmation(relay: RelayServer) -> None:
    """Where nobody can be asked, nothing is sent."""
    pause_id, update_id = held(relay)
    refused = run(relay.url, "resume", pause_id)
    assert (refused.status, "--yes" in refused.err) == (2, True)
    assert relay.world.outcome(update_id).state is State.HELD
    assert run(relay.url, "resume", "x").status == 2


def test_the_relay_says_what_is_wrong_with_a_pause(relay: RelayServer) -> None:
    """An end in the past, at its member."""
    refused = run(relay.url, "pause", "--reason", "x", "--ends", "2020-01-01T00:00:00Z")
    assert refused.status == 1
    assert "/endsDateTime" in refused.err
