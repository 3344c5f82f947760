"""``webhook``: a source's map is tried without a sender, and a signed request is sent."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from shared.settings import Settings
from tests.builders import NOW, POLICY, a_message
from tests.relay.process import CommandResult, environment, finish, run, start
from tests.relay.relay_server import listening, relay_server
from tests.web.test_documented_webhooks import BLOCKS, SENDERS
from tests.world import World

MAP = {
    "$each": "devices",
    "deviceCompliancePolicyId": f"'{POLICY}'",
    "deviceComplianceUserStatusId": "owner",
    "userStatus.status": "state",
    "userStatus.lastReportedDateTime": "timestamp(body().sent)",
}
BODY = {"sent": 1795466000275, "devices": [{"owner": "u", "state": "compliant"}, {"owner": "v"}]}
SECRET = "whsec_" + base64.b64encode(b"n" * 24).decode()  # pragma: allowlist secret
VERIFY: dict[str, dict[str, Any]] = {
    "header": {"type": "header", "header": "X-Key", "secrets": ["let me in", "old"]},
    "hex": {"type": "hmacSha256", "header": "X-Sig", "prefix": "sha256=", "secrets": ["new", "old"]},
    "base64": {"type": "hmacSha256", "header": "X-Sig", "encoding": "base64", "secrets": ["s"]},
    "standard": {"type": "standardWebhooks", "secrets": [SECRET]},
    "timed": {
        "type": "hmacSha256",
        "header": "X-Sig",
        "secrets": ["s"],
        "signedContent": "v0:{header:X-Time}:{body}",
        "timestampHeader": "X-Time",
    },
}


def settings(folder: Path, sources: Any, *, wrapped: bool = True) -> list[str]:
    """Write the sources to a file and return the options that name it."""
    path = folder / "settings.json"
    path.write_text(json.dumps({"Values": {"WEBHOOK_SOURCES": json.dumps(sources)}} if wrapped else sources))
    return ["--settings", str(path)]


def payload(folder: Path, body: Any) -> str:
    """Write a request's body to a file and return its path."""
    path = folder / "payload.json"
    path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return str(path)


def tried(folder: Path, message_map: Any, body: Any, *more: str, url: str | None = None) -> CommandResult:
    """Run the command for a source with a map."""
    source = {"verify": VERIFY["header"]} | ({"map": message_map} if message_map else {})
    return run(url, "webhook", "jamf", payload(folder, body), *settings(folder, {"jamf": source}), *more)


def test_each_member_is_shown_with_the_value_found(tmp_path: Path) -> None:
    """A null is marked; so is the fault that it leads to."""
    done = tried(tmp_path, MAP, BODY)
    assert done.status == 0, done.err
    assert "message 1 of 2: valid" in done.out
    lines = [line.split(maxsplit=1) for line in done.out.splitlines() if line.startswith("userStatus.status")]
    assert [text.strip() for _, text in lines] == ['"compliant"', "null (left out)"]
    machine = tried(tmp_path, MAP, BODY, "--json").json
    assert [message["valid"] for message in machine["messages"]] == [True, True]
    assert machine["messages"][0]["members"][-1] == {
        "name": "userStatus.lastReportedDateTime",
        "value": "2026-11-23T20:33:20.275Z",
    }
    assert machine["messages"][1]["message"]["userStatus"] == {"lastReportedDateTime": "2026-11-23T20:33:20.275Z"}


def test_a_message_that_would_be_refused_is_invalid(tmp_path: Path) -> None:
    """Each fault is at its member; the exit status is 2."""
    wrong = MAP | {"deviceComplianceUserStatusId": "nobody", "userStatus.devicesCount": "to_number(owner)"}
    wrong["userStatus.userDisplayName"] = "length(nobody)"
    done = tried(tmp_path, wrong, BODY, "--json")
    assert done.status == 2
    faults = {fault["pointer"]: fault["detail"] for fault in done.json["messages"][0]["errors"]}
    assert list(faults) == ["/userStatus/userDisplayName"]
    del wrong["userStatus.userDisplayName"]
    text = tried(tmp_path, wrong, BODY)
    assert "message 2 of 2: invalid" in text.out
    assert "/deviceComplianceUserStatusId is required" in text.out
    assert "devicesCount" in text.out


@pytest.mark.parametrize("body", [a_message(), [a_message()], {"updates": [a_message()]}])
def test_a_source_without_a_map_sends_messages(tmp_path: Path, body: Any) -> None:
    """One, an array, or ``updates``."""
    done = tried(tmp_path, None, body, "--json")
    assert (done.status, len(done.json["messages"])) == (0, 1)
    assert done.json["messages"][0]["message"]["userStatus"] == a_message()["userStatus"]


def test_no_event_is_no_message(tmp_path: Path) -> None:
    """``$each`` filtered all of them."""
    done = tried(tmp_path, MAP, {"devices": []})
    assert (done.status, "no message would result" in done.out) == (0, True)


@pytest.mark.parametrize("sender", SENDERS)
def test_the_documented_senders_can_be_tried(tmp_path: Path, sender: str) -> None:
    """Each example of the documentation gives valid messages."""
    sources = {sender: json.loads(BLOCKS["source", sender])}
    path = payload(tmp_path, BLOCKS["request", sender].encode())
    done = run(None, "webhook", sender, path, *settings(tmp_path, sources), "--json")
    assert done.status == 0, done.out
    assert done.json["messages"]


@pytest.mark.parametrize("kind", VERIFY)
def test_a_signed_request_is_accepted(tmp_path: Path, kind: str) -> None:
    """By every kind of verification, as a sender would send it."""
    sources = {"jamf": {"verify": VERIFY[kind], "map": MAP}}
    environ = {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "WEBHOOK_SOURCES": json.dumps(sources)}
    world = World(Settings.from_environ(environ))
    at = ["--header", f"X-Time: {NOW.timestamp():.0f}"] if kind == "timed" else []
    with relay_server(world) as relay:
        path = payload(tmp_path, BODY)
        sent = run(relay.url, "webhook", "jamf", path, *settings(tmp_path, sources), "--send", *at)
        machine = run(relay.url, "webhook", "jamf", path, *settings(tmp_path, sources), "--send", "--json", *at)
    assert sent.status == 0, sent.out + sent.err
    assert "accepted" in sent.out
    ids = [item["id"] for item in machine.json["response"]["value"]]
    assert world.resource(ids[0])["source"] == "jamf"
    assert not any(secret in sent.out + sent.err + machine.out for secret in VERIFY[kind]["secrets"] if len(secret) > 3)


def test_the_time_of_a_request_is_now(tmp_path: Path) -> None:
    """A header that the signature covers must be given, but for the time's."""
    verify = VERIFY["timed"] | {"signedContent": "{header:X-Time}.{header:X-Nonce}.{body}"}
    seen: list[dict[str, str]] = []

    def answer(_method: str, _target: str, headers: dict[str, str], _body: bytes) -> Any:
        seen.append(headers)
        return 202, {}, b'{"value": []}'

    options = settings(tmp_path, {"jamf": {"verify": verify, "map": MAP}})
    with listening(answer) as url:
        missing = run(url, "webhook", "jamf", payload(tmp_path, BODY), *options, "--send")
        sent = run(url, "webhook", "jamf", payload(tmp_path, BODY), *options, "--send", "--header", "X-Nonce: n")
    assert (missing.status, "x-nonce" in missing.err, sent.status, len(seen)) == (2, True, 0, 1)
    assert seen[0]["X-Time"].isdigit()


@pytest.mark.parametrize("header", ["no colon", "X-Nonce: ü", "X-Nonce: a\nb"])
def test_a_header_that_cannot_be_sent_is_an_error(tmp_path: Path, header: str) -> None:
    """Exit status 2, before a request."""
    done = tried(tmp_path, MAP, BODY, "--send", "--header", header, url="http://127.0.0.1:9")
    assert (done.status, "header" in done.err) == (2, True)


def test_an_invalid_message_is_not_sent(tmp_path: Path) -> None:
    """The map is mended first."""
    done = tried(tmp_path, MAP | {"userStatus.status": "'nonsense'"}, BODY, "--send", url="http://127.0.0.1:9")
    assert (done.status, "nothing was sent" in done.out) == (2, True)


def test_the_relays_refusal_is_an_error(tmp_path: Path) -> None:
    """Its secret is another one."""
    with listening(lambda *_: (401, {}, b'{"title": "Unauthorized", "detail": "not signed"}')) as url:
        done = tried(tmp_path, MAP, BODY, "--send", url=url)
    assert (done.status, "not signed" in done.err) == (1, True)
    assert "secret" in done.err


@pytest.mark.parametrize("form", ["environment", "dotenv", "sources"])
def test_the_setting_comes_from_a_file_or_the_environment(tmp_path: Path, form: str) -> None:
    """``--settings`` names a file of settings or of sources; else RELAY's environment and the folder's ``.env``."""
    sources = {"jamf": {"verify": VERIFY["header"], "map": MAP}}
    path, options, env = payload(tmp_path, BODY), [], environment()
    match form:
        case "environment":
            env |= {"WEBHOOK_SOURCES": json.dumps(sources)}
        case "dotenv":
            sources["jamf"]["map"] = MAP | {"deviceCompliancePolicyId": "policy"}
            (tmp_path / ".env").write_text(f"WEBHOOK_SOURCES='{json.dumps(sources)}'")
            path = payload(tmp_path, {"devices": []})
        case "sources":
            options = settings(tmp_path, sources, wrapped=False)
    done = finish(start("webhook", "jamf", path, *options, "--json", cwd=tmp_path, env=env))
    assert done.status == 0, done.err
    assert done.json["source"] == "jamf"


@pytest.mark.parametrize(
    ("sources", "body", "reason"),
    [
        ({"okta": {"verify": VERIFY["header"]}}, {}, "okta"),
        ({"jamf": {"verify": {"type": "magic"}}}, {}, "jamf.verify.type"),
        ({"jamf": {"verify": VERIFY["header"]}}, b"{", "not JSON"),
        ({"jamf": {"verify": VERIFY["header"]}}, b"\xff\xfe", "payload.json"),
        ([], {}, "settings"),
    ],
)
def test_what_cannot_be_tried_is_an_error(tmp_path: Path, sources: Any, body: Any, reason: str) -> None:
    """Exit status 2, with the reason."""
    done = run(None, "webhook", "jamf", payload(tmp_path, body), *settings(tmp_path, sources))
    assert (done.status, reason in done.err) == (2, True)


def test_a_key_vault_reference_cannot_be_read_here(tmp_path: Path) -> None:
    """Only Azure reads it."""
    path = tmp_path / "settings.json"
    path.write_text('{"Values": {"WEBHOOK_SOURCES": "@Microsoft.KeyVault(SecretUri=https://v/s)"}}')
    done = run(None, "webhook", "jamf", payload(tmp_path, BODY), "--settings", str(path))
    assert (done.status, "Key Vault" in done.err) == (2, True)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """It is named."""
    options = settings(tmp_path, {"jamf": {"verify": VERIFY["header"]}})
    missing = run(None, "webhook", "jamf", str(tmp_path / "none.json"), *options)
    assert (missing.status, "cannot be read" in missing.err) == (2, True)
