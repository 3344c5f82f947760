"""The other commands, and how any of them finds its relay and keeps its key."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.connection import connection
from relay.failure import Failure
from relay.patience import Patience
from tests.relay.served import Served, ended, environment, launched, listening, run, served
from tests.world import World

KEY = "the-function-key-itself"


@pytest.fixture
def relay(world: World) -> Iterator[Served]:
    """A relay among twins, at an address; nothing is delivered by itself."""
    with served(world) as running:
        running.deliver = False
        yield running


def test_get_shows_an_update_to_people_and_machines(relay: Served) -> None:
    """All that is known."""
    update_id = relay.world.accept(source="hr")
    relay.world.run()
    shown = run(relay.url, "get", update_id)
    assert shown.status == 0
    assert "succeeded delivered" in shown.out
    assert "\x1b" not in shown.out
    assert run(relay.url, "get", update_id.upper(), "--json").json == relay.world.resource(update_id)


@pytest.mark.parametrize(
    ("update_id", "status", "said"),
    [("nonsense", 2, "no update's id"), ("01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a", 1, "There is no such update")],
)
def test_an_update_that_is_not_there_is_said(relay: Served, update_id: str, status: int, said: str) -> None:
    """2 for what cannot be an id, 1 for one that is unknown."""
    done = run(relay.url, "get", update_id)
    assert (done.status, said in done.err) == (status, True)


def test_list_all_follows_every_page_in_one_document(relay: Served) -> None:
    """With the filters, and at the relay's own address wherever the links point."""
    ids = [relay.world.accept(source="hr", deviceComplianceUserStatusId=f"u{n}") for n in range(7)]
    relay.world.accept(source="other")

    done = run(relay.url, "list", "--source", "hr", "--top", "3", "--all", "--json")

    assert [one["id"] for one in done.json["value"]] == sorted(ids, reverse=True)
    assert all(parse_qs(urlsplit(target).query)["source"] == ["hr"] for _, target, _ in relay.requests)
    people = run(relay.url, "list", "--source", "hr", "--top", "3")
    assert people.out.count("notStarted queued") == 3
    assert "--all" in people.err


def test_a_bad_filter_is_told_in_the_relays_words(relay: Served) -> None:
    """With its parameter."""
    done = run(relay.url, "list", "--status", "nonsense")
    assert done.status == 1
    assert "/status must be one of" in done.err


def test_cancel_takes_an_update_back_once(relay: Served) -> None:
    """A second time answers the same."""
    update_id = relay.world.accept()
    for _ in range(2):
        assert run(relay.url, "cancel", update_id, "--json").json["status"] == "canceled"


def test_replay_of_one_and_of_many(relay: Served) -> None:
    """Filters are counted first; without a terminal --yes is needed; each update is replayed once."""
    ids = [relay.world.accept(deviceComplianceUserStatusId=f"u{n}") for n in range(4)]
    for update_id in ids:
        run(relay.url, "cancel", update_id)

    assert run(relay.url, "replay", ids[0], "--json").json["replayOf"] == ids[0]
    assert run(relay.url, "replay", "--status", "canceled", "--dry-run", "--json").json == {"matched": 3, "replayed": 0}
    unasked = run(relay.url, "replay", "--status", "canceled")
    assert (unasked.status, "--yes" in unasked.err) == (2, True)
    assert run(relay.url, "replay", "--status", "canceled", "--yes", "--json").json == {"matched": 3, "replayed": 3}
    assert run(relay.url, "replay", "--status", "canceled", "--yes").status == 0
    for wrong in ([], [ids[0], "--status", "failed"]):
        assert run(relay.url, "replay", *wrong).status == 2


def test_watch_says_each_change_once(relay: Served) -> None:
    """A line of JSON each."""
    update_id = relay.world.accept()
    done = run(relay.url, "watch", "--rounds", "3", "--interval", "0.2", "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["stats", "update"]
    assert lines[1]["update"]["id"] == update_id
    assert update_id in run(relay.url, "watch", "--rounds", "1").out


CHECKS = [
    {"name": "identity", "status": "ok", "detail": "a token was had", "nextStep": None},
    {"name": "permission", "status": "failing", "detail": "403", "nextStep": "grant\x1b[31m it"},
]


def doctored(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
    """A relay whose doctor finds something."""
    if headers.get("x-functions-key") != KEY:
        return 401, {}, b""
    answer = {"asOfDateTime": "2026-11-23T20:30:00Z", "status": "failing", "checks": CHECKS}
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


def test_doctor_has_a_line_for_each_check_with_its_next_step() -> None:
    """Failing is 1; nothing of the relay's steers the terminal."""
    with listening(doctored) as url:
        done = run(url, "doctor", "--key", KEY)
        machine = run(url, "doctor", "--key", KEY, "--json")
        refused = run(url, "doctor")
    assert (done.status, machine.status) == (1, 1)
    (line,) = [line for line in done.out.splitlines() if "permission" in line]
    assert line.startswith("failing")
    assert "grant" in line
    assert "\x1b" not in line
    assert [one["name"] for one in machine.json["checks"]] == ["reach", "identity", "permission"]
    assert (refused.status, "--key or RELAY_KEY" in refused.out) == (1, True)


def test_doctor_says_when_there_is_no_relay() -> None:
    """With what to look at."""
    done = run("http://127.0.0.1:9", "doctor", "--json")
    assert done.status == 1
    assert done.json["checks"][0]["nextStep"]


@pytest.mark.parametrize(
    ("name", "text", "faults"),
    [
        ("local.settings.json", '{"Values": {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}}', 0),
        (
            "local.settings.json",
            '{"Values": {"UPDATES_STORAGE": "x", "GRAPH_CLOUD": "mars", "GRAPH_WRITE_QUOTA": 1}}',
            3,
        ),
        (".env", "UPDATES_STORAGE=UseDevelopmentStorage=true\nGRAPH_CLOUD='mars'\n", 1),
        ("az.json", '[{"name": "GRAPH_CLOUD", "value": "global", "slotSetting": false}]', 1),
        ("az.json", '[{"name": "UPDATES_STORAGE", "value": "@Microsoft.KeyVault(SecretUri=https://v/s)"}]', 0),
    ],
)
def test_a_settings_file_is_checked_offline_with_every_fault(tmp_path: Path, name: str, text: str, faults: int) -> None:
    """By the app's own rules, in any of three forms."""
    path = tmp_path / name
    path.write_text(text)
    done = run(None, "doctor", "--settings", str(path), "--json")
    failing = [one for one in done.json["checks"] if one["status"] == "failing"]
    assert (done.status, len(failing)) == (1 if faults else 0, faults)


@pytest.mark.parametrize("text", ["{", "[]", '{"IsEncrypted": true, "Values": {"A": "x"}}', '{"Values": []}', b"\xff"])
def test_what_is_no_settings_file_is_said(tmp_path: Path, text: str | bytes) -> None:
    """2, and one line."""
    path = tmp_path / "settings"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run(None, "doctor", "--settings", str(path))
    assert (done.status, "error: " in done.err) == (2, True)


def test_address_and_key_come_from_options_then_environment_then_the_folders_env_file(tmp_path: Path) -> None:
    """And the key goes with the request, never to a screen."""
    (tmp_path / ".env").write_text(f"RELAY_KEY={KEY}\nRELAY_URL=http://127.0.0.1:9\n")
    with listening(doctored) as url:
        done = ended(launched("doctor", cwd=tmp_path, env=environment(url)))
    nowhere = ended(launched("doctor", cwd=tmp_path))
    assert "takes the key" in done.out
    assert "127.0.0.1:9" in nowhere.out
    assert KEY not in done.out + done.err + nowhere.out + nowhere.err


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://app.example/", "https://app.example"),
        ("https://app.example/api/", "https://app.example"),
        ("https://app.example/api", "https://app.example"),
        ("http://localhost:7071", "http://localhost:7071"),
        ("http://[::1]:7071", "http://[::1]:7071"),
        ("http://app.example", None),
        ("http://127.0.0.1.example", None),
        ("ftp://app.example", None),
        ("app.example", None),
        (f"https://user:{KEY}@app.example", None),
        (f"https://app.example/?code={KEY}", None),
        ("https://app.example:port", None),
        ("http://[::1", None),
    ],
)
def test_only_addresses_that_keep_the_key_are_taken(tmp_path: Path, given: str, taken: str | None) -> None:
    """https, or loopback; no credentials or key in the address."""
    if taken is None:
        with pytest.raises(Failure) as refused:
            connection(given, KEY, {}, tmp_path, insecure=False)
        assert KEY not in refused.value.message
    else:
        found = connection(given, KEY, {}, tmp_path, insecure=False)
        assert found.url == taken
        assert KEY not in repr(found)


def test_insecure_allows_http(tmp_path: Path) -> None:
    """On demand."""
    assert connection("http://relay.example", None, {}, tmp_path, insecure=True).url == "http://relay.example"


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(tmp_path: Path, key: str) -> None:
    """Without being shown."""
    with pytest.raises(Failure) as refused:
        connection(None, None, {"RELAY_KEY": key}, tmp_path, insecure=False)
    assert key not in refused.value.message


def test_the_key_follows_no_redirect_and_no_link_to_another_host() -> None:
    """A page's link is asked at the relay's own address."""
    seen: list[dict[str, str]] = []

    def other(_method: str, _target: str, headers: dict[str, str], _body: bytes) -> Any:
        seen.append(headers)
        return 200, {}, b"{}"

    with listening(other) as elsewhere:

        def redirecting(_method: str, target: str, _headers: dict[str, str], _body: bytes) -> Any:
            if "source=moved" in target:
                return 307, {"Location": f"{elsewhere}/api/updates"}, b""
            link = None if "continuation" in target else f"{elsewhere}/api/updates?continuation=next"
            return 200, {}, json.dumps({"value": [], "nextLink": link}).encode()

        with listening(redirecting) as url:
            moved = run(url, "list", "--key", KEY, "--source", "moved")
            linked = run(url, "list", "--key", KEY, "--all", "--json")
    assert (moved.status, "address is another one" in moved.err) == (1, True)
    assert linked.json == {"value": []}
    assert seen == []


class Hurried:
    """A clock on which waiting costs nothing."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


@given(
    seconds=st.floats(0, 10_000),
    jitter=st.floats(0, 1),
    waits=st.lists(st.none() | st.floats(0, 100), max_size=400),
)
def test_patience_always_ends_in_time(seconds: float, jitter: float, waits: list[float | None]) -> None:
    """However often and for how long the relay asks to wait; and never earlier than it asks."""
    clock, why = Hurried(), Failure("gone")
    patience = Patience(seconds, clock, lambda: jitter, lambda *_: None)
    for wait in waits:
        before = clock.now
        try:
            patience.pause(why, wait)
        except Failure:
            break
        assert clock.now - before >= (wait or 0) - 1e-6
    assert clock.now <= seconds + 1e-6
