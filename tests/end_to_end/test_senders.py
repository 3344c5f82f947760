"""The senders of ``docs/senders``: the Python and bash pages run as they are, and what Azure must take is sent."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from azure.storage.queue import generate_queue_sas

from emulator.host import FUNCTION_KEY
from emulator.stack import ROOT, Stack, stack, until
from tests.builders import a_message
from tests.end_to_end.relay import queue, queue_is_empty

PAGES = sorted(path for path in (ROOT / "docs" / "senders").glob("*.md") if path.stem != "README")
KEY = "a-function-key"
#: What the pages report, by user status id.
FIRST = {"status": "compliant", "devicesCount": 2, "lastReportedDateTime": "2026-11-23T20:30:00.1234567Z"}
SECOND = {"status": "nonCompliant", "devicesCount": 2, "lastReportedDateTime": "2026-11-23T20:31:00Z"}
#: Stands in for the real one: the options of the page and no others, each with the only value that is right.
AZ = """#!{python}
import argparse, os
from azure.storage.queue import QueueClient
words = argparse.ArgumentParser(allow_abbrev=False)
for word in ("storage", "message", "put"):
    words.add_argument(word, choices=[word])
for option, right in (("account-name", "account"), ("queue-name", "compliance-updates"), ("auth-mode", "login"),
                      ("time-to-live", "-1"), ("output", "none")):
    words.add_argument("--" + option, required=True, choices=[right])
words.add_argument("--content", required=True)
text = words.parse_args().content
QueueClient.from_connection_string(os.environ["QUEUE_CONNECTION"], "compliance-updates").send_message(text)
"""


@pytest.fixture(scope="module")
def keyed() -> Iterator[Stack]:
    """A relay that asks for its function key, as in Azure."""
    with stack(RETRY_BASE_SECONDS="0.2", **{FUNCTION_KEY: KEY}) as parts:
        yield parts


class Front(ThreadingHTTPServer):
    """What stands before an app in Azure, on a bad day: the first POST is refused, the second's answer is lost."""

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind, self.keys = behind, list[str | None]()

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Passing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(self._passed_on())

    def do_POST(self) -> None:
        front: Front = self.server  # type: ignore[assignment]
        front.keys.append(self.headers["Idempotency-Key"])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match len(front.keys):
            case 1:
                self.send_response(503)
                self.send_header("Retry-After", "1")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case 2:
                self._passed_on(body)
                self.close_connection = True
            case _:
                self._answer(self._passed_on(body))

    def _passed_on(self, body: bytes | None = None) -> requests.Response:
        behind = self.server.behind  # type: ignore[attr-defined]
        return requests.request(self.command, behind + self.path, headers=dict(self.headers), data=body, timeout=60)

    def _answer(self, answer: requests.Response) -> None:
        self.send_response(answer.status_code)
        for name in ("Location", "Retry-After"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def a_bad_day(behind: str) -> Iterator[Front]:
    """The front, while it is needed."""
    with Front(behind) as front:
        thread = Thread(target=front.serve_forever)
        thread.start()
        try:
            yield front
        finally:
            front.shutdown()
            thread.join()


def program(page: str, language: str) -> str:
    """All the blocks that a page says can be run, as one."""
    text = (ROOT / "docs" / "senders" / page).read_text()
    return "\n".join(re.findall(rf"(?ms)^```{language} run\n(.*?)^```", text))


def run(page: str, url: str, parts: Stack, folder: Path, key: str = KEY) -> "subprocess.CompletedProcess[str]":
    """A page's program with what it asks for."""
    az = folder / "az"
    az.write_text(AZ.format(python=sys.executable))
    az.chmod(0o755)
    env = os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "RELAY_URL": url,
        "RELAY_KEY": key,
        "QUEUE_ACCOUNT": "account",
        "QUEUE_CONNECTION": parts.storage.connection_string,
    }
    command = {
        "python.md": [sys.executable, "-c", program("python.md", "python")],
        "bash.md": ["bash", "-c", program("bash.md", "sh")],
    }[page]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def updates(parts: Stack, source: str) -> list[dict[str, Any]]:
    """All that the relay has of a source, by its key."""
    asked = {"params": {"source": source}, "headers": {"x-functions-key": KEY}}
    found = requests.get(f"{parts.base_url}/api/updates", timeout=30, **asked).json()["value"]  # type: ignore[arg-type]
    return sorted(found, key=lambda update: str(update["idempotencyKey"]))


def written(parts: Stack, user: str) -> list[Mapping[str, Any]]:
    """What Graph was sent for a user status, without its type."""
    writes = [call["body"] for call in parts.graph.writes() if call["userStatusId"] == user]
    return [{name: value for name, value in body.items() if name != "@odata.type"} for body in writes]


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("page", "source", "users"),
    [
        ("python.md", "hr-python", "12"),
        ("bash.md", "nightly-bash", "34"),
    ],
)
def test_a_page_delivers_by_http_and_by_queue_whatever_the_day_and_however_often(
    keyed: Stack, tmp_path: Path, page: str, source: str, users: str
) -> None:
    """A refusal and a lost answer on the first run, the same run again: two updates, each written once."""
    with a_bad_day(keyed.base_url) as front:
        first = run(page, front.base_url, keyed, tmp_path)
        assert first.returncode == 0, first.stderr
        assert len(front.keys) == 3
        assert len(set(front.keys)) == 1
    again = run(page, keyed.base_url, keyed, tmp_path)
    assert again.returncode == 0, again.stderr

    until(lambda: queue_is_empty(keyed), 60, "the second run's message to be read")
    found = updates(keyed, source)
    assert [update["statusDetail"] for update in found] == ["delivered", "delivered"]
    assert [written(keyed, f"8d3c1f0a-0000-4000-8000-00000000000{n}") for n in users] == [[FIRST], [SECOND]]


@pytest.mark.end_to_end
@pytest.mark.parametrize("page", ["python.md", "bash.md"])
def test_a_page_gives_up_at_once_on_a_wrong_function_key(keyed: Stack, tmp_path: Path, page: str) -> None:
    """With a status that tells; a wrong key is no bad day."""
    with a_bad_day(keyed.base_url) as front:
        front.keys += [None, None]  # the bad part of it is over
        wrong = run(page, front.base_url, keyed, tmp_path, key="another")
        assert wrong.returncode not in (0, None)
        assert len(front.keys) == 3


@pytest.mark.end_to_end
@pytest.mark.parametrize("page", ["python.md", "bash.md"])
def test_a_page_tells_of_an_update_that_failed(tmp_path: Path, page: str) -> None:
    """With the outcome's code, and an exit status for whatever started it."""
    with stack(**{FUNCTION_KEY: KEY}) as parts:
        parts.graph.fault("status", status=400, count=None)
        done = run(page, parts.base_url, parts, tmp_path)
    assert done.returncode == 1
    assert "graphRejected" in done.stdout + done.stderr


@pytest.mark.end_to_end
def test_storage_takes_the_rest_call_of_logic_apps_and_powershell(keyed: Stack) -> None:
    """For all that can be tried here: with a signature in place of an identity. It never expires."""
    pages = {path.stem: path.read_text() for path in PAGES}
    blocks = [json.loads(text) for text in re.findall(r"(?ms)^```json\n(.*?)^```", pages["logic-apps"])]
    (call,) = [block["Enqueue"]["inputs"] for block in blocks if "Enqueue" in block]
    message = a_message(deviceComplianceUserStatusId="rest-call", source="rest", idempotencyKey="rest/1")
    text = base64.b64encode(json.dumps(message).encode()).decode()
    put_and_kept = queue(keyed, "rest-call")
    put_and_kept.create_queue()
    where, _, query = call["uri"].partition("?")
    assert where.endswith("/compliance-updates/messages")
    signature = generate_queue_sas(
        put_and_kept.account_name or "",
        "rest-call",
        put_and_kept.credential.account_key,
        permission="a",
        expiry=datetime.now(UTC) + timedelta(minutes=10),
    )
    answer = requests.post(
        f"{put_and_kept.url}/messages?{query}&{signature}",
        headers=call["headers"],
        data=re.sub(r"@\{.*\}", text, call["body"]),
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    (kept,) = put_and_kept.receive_messages(max_messages=1)
    assert json.loads(base64.b64decode(kept.content)) == message
    assert kept.expires_on is None or kept.expires_on.year > 2100
    assert re.sub(r"@\{.*\}", "*", call["body"]) == re.sub(
        r"\$\(.*\)", "*", re.findall(r'\$body = "(.*)"', pages["powershell"])[0]
    )
    assert f"compliance-updates/messages?{query}'" in pages["powershell"]
