"""``doctor``: a line per check, with the next step."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.relay.process import environment, finish, run, start
from tests.relay.relay_server import listening

KEY = "the-function-key-itself"


CHECKS = [
    {"name": "identity", "status": "ok", "detail": "a token was issued", "nextStep": None},
    {"name": "permission", "status": "failing", "detail": "403", "nextStep": "grant\x1b[31m it"},
]


def doctored(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
    """Answer as a relay with a failing check."""
    if headers.get("x-functions-key") != KEY:
        return 401, {}, b""
    document = {"asOfDateTime": "2026-11-23T20:30:00Z", "status": "failing", "checks": CHECKS}
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def test_doctor_has_a_line_for_each_check_with_its_next_step() -> None:
    """A failing check is exit status 1; no text of the relay controls the terminal."""
    with listening(doctored) as url:
        done = run(url, "doctor", "--key", KEY)
        machine = run(url, "doctor", "--key", KEY, "--json")
        refused = run(url, "doctor")
    assert (done.status, machine.status) == (1, 1)
    (line,) = [line for line in done.out.splitlines() if "permission" in line]
    assert line.startswith("failing")
    assert "grant" in line
    assert "\x1b" not in line
    assert [check["name"] for check in machine.json["checks"]] == ["reach", "identity", "permission"]
    assert (refused.status, "--key or RELAY_KEY" in refused.out) == (1, True)


def test_doctor_reports_a_relay_that_does_not_answer() -> None:
    """The check has a next step."""
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
    """The app's own rules check it, in each of three forms."""
    path = tmp_path / name
    path.write_text(text)
    done = run(None, "doctor", "--settings", str(path), "--json")
    failing = [check for check in done.json["checks"] if check["status"] == "failing"]
    assert (done.status, len(failing)) == (1 if faults else 0, faults)


@pytest.mark.parametrize("text", ["{", "[]", '{"IsEncrypted": true, "Values": {"A": "x"}}', '{"Values": []}', b"\xff"])
def test_a_file_without_settings_is_an_error(tmp_path: Path, text: str | bytes) -> None:
    """Exit status 2 and one line."""
    path = tmp_path / "settings"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run(None, "doctor", "--settings", str(path))
    assert (done.status, "error: " in done.err) == (2, True)


def test_address_and_key_come_from_options_then_environment_then_the_folders_env_file(tmp_path: Path) -> None:
    """The key is sent with the request and never printed."""
    (tmp_path / ".env").write_text(f"RELAY_KEY={KEY}\nRELAY_URL=http://127.0.0.1:9\n")
    with listening(doctored) as url:
        done = finish(start("doctor", cwd=tmp_path, env=environment(url)))
    unreachable = finish(start("doctor", cwd=tmp_path))
    assert "takes the key" in done.out
    assert "127.0.0.1:9" in unreachable.out
    assert KEY not in done.out + done.err + unreachable.out + unreachable.err
