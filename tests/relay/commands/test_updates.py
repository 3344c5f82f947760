"""The commands that show and change updates."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.relay.process import run
from tests.relay.relay_server import RelayServer, relay_server
from tests.world import World


@pytest.fixture
def relay(world: World) -> Iterator[RelayServer]:
    """Run a relay that delivers nothing by itself."""
    with relay_server(world) as running:
        running.deliver = False
        yield running


def test_get_shows_an_update_to_people_and_machines(relay: RelayServer) -> None:
    """A table without control characters, or the resource as JSON."""
    update_id = relay.world.accept(source="hr")
    relay.world.run()
    shown = run(relay.url, "get", update_id)
    assert shown.status == 0
    assert "succeeded delivered" in shown.out
    assert "\x1b" not in shown.out
    assert run(relay.url, "get", update_id.upper(), "--json").json == relay.world.resource(update_id)


@pytest.mark.parametrize(
    ("update_id", "status", "message"),
    [("nonsense", 2, "no update's id"), ("01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a", 1, "There is no such update")],
)
def test_an_unknown_update_is_an_error(relay: RelayServer, update_id: str, status: int, message: str) -> None:
    """2 for a text that is no id, 1 for an id that is unknown."""
    done = run(relay.url, "get", update_id)
    assert (done.status, message in done.err) == (status, True)


def test_list_all_follows_every_page_in_one_document(relay: RelayServer) -> None:
    """Every request has the filters and goes to the relay's own address."""
    ids = [relay.world.accept(source="hr", deviceComplianceUserStatusId=f"u{n}") for n in range(7)]
    relay.world.accept(source="other")

    done = run(relay.url, "list", "--source", "hr", "--top", "3", "--all", "--json")

    assert [update["id"] for update in done.json["value"]] == sorted(ids, reverse=True)
    assert all(parse_qs(urlsplit(target).query)["source"] == ["hr"] for _, target, _ in relay.requests)
    people = run(relay.url, "list", "--source", "hr", "--top", "3")
    assert people.out.count("notStarted queued") == 3
    assert "--all" in people.err


def test_a_bad_filter_is_an_error_of_the_relay(relay: RelayServer) -> None:
    """The message names the parameter."""
    done = run(relay.url, "list", "--status", "nonsense")
    assert done.status == 1
    assert "/status must be one of" in done.err


def test_updates_are_listed_and_replayed_by_error_code(relay: RelayServer) -> None:
    """Those that Graph rejected, and no others."""
    relay.world.graph.refuse = lambda properties: properties["status"] == "error"
    rejected = relay.world.accept(userStatus={"status": "error"})
    relay.world.accept(deviceComplianceUserStatusId="v")
    relay.world.run()
    done = run(relay.url, "list", "--error-code", "graphRejected", "--json")
    assert [update["id"] for update in done.json["value"]] == [rejected]
    counted = run(relay.url, "replay", "--error-code", "graphRejected", "--dry-run", "--json")
    assert counted.json == {"matched": 1, "replayed": 0}


def test_cancel_withdraws_an_update(relay: RelayServer) -> None:
    """A request whose answer is lost is sent again: the relay answers the same. A delivered update is 409."""
    update_id = relay.world.accept()
    relay.after.append(None)
    for _ in range(2):
        assert run(relay.url, "cancel", update_id, "--json").json["status"] == "canceled"
    delivered = relay.world.accept()
    relay.world.run()
    late = run(relay.url, "cancel", delivered)
    assert (late.status, "409" in late.err) == (1, True)


def test_replay_of_one_and_of_many(relay: RelayServer) -> None:
    """Filters are counted first; without a terminal --yes is needed; each update is replayed once."""
    ids = [relay.world.accept(deviceComplianceUserStatusId=f"u{n}") for n in range(4)]
    for update_id in ids:
        run(relay.url, "cancel", update_id)

    assert run(relay.url, "replay", ids[0], "--json").json["replayOf"] == ids[0]
    assert run(relay.url, "replay", "--status", "canceled", "--dry-run", "--json").json == {"matched": 3, "replayed": 0}
    unconfirmed = run(relay.url, "replay", "--status", "canceled")
    assert (unconfirmed.status, "--yes" in unconfirmed.err) == (2, True)
    assert run(relay.url, "replay", "--status", "canceled", "--yes", "--json").json == {"matched": 3, "replayed": 3}
    assert run(relay.url, "replay", "--status", "canceled", "--yes").status == 0
    for wrong in ([], [ids[0], "--status", "failed"]):
        assert run(relay.url, "replay", *wrong).status == 2


def test_watch_prints_each_change_once(relay: RelayServer) -> None:
    """Each is a line of JSON."""
    update_id = relay.world.accept()
    done = run(relay.url, "watch", "--rounds", "3", "--interval", "0.2", "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["stats", "update"]
    assert lines[1]["update"]["id"] == update_id
    assert update_id in run(relay.url, "watch", "--rounds", "1").out
