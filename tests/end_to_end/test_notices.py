"""Outcome notices, from the update's end to each kind of receiver."""

import base64
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from azure.storage.queue import QueueClient
from standardwebhooks import Webhook

from emulator.stack import stack, until
from tests.end_to_end.relay import QUICK, final, post

pytestmark = pytest.mark.end_to_end

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"  # pragma: allowlist secret


class Receiver:
    """A webhook, or a topic, that fails as often as it is asked to."""

    def __init__(self, failing: float) -> None:
        self.failing = failing
        self.events: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self._random, self._lock = random.Random(1), threading.Lock()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Return the status of the answer."""
        with self._lock:
            if self._random.random() < self.failing:
                return 500
            if "authorization" in headers:
                self.tokens.add(headers["authorization"])
                event = json.loads(body)
            else:
                event = self._verified(headers, body)
            self.events[event["id"]] = event
        return 204

    def _verified(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        event: dict[str, Any] = Webhook(SECRET).verify(body, headers)
        assert headers["webhook-id"] == event["id"]
        return event


@contextmanager
def receiving(failing: float = 0) -> Iterator[tuple[Receiver, str]]:
    """A receiver on this machine; its URL."""
    receiver = Receiver(failing)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.take({name.lower(): text for name, text in self.headers.items()}, body))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def counts(base_url: str) -> dict[str, int]:
    """Return what statistics say of notices."""
    found: dict[str, int] = requests.get(f"{base_url}/api/stats", timeout=30).json()["notices"]
    return found


def test_each_kind_of_receiver_gets_its_sources_notices() -> None:
    """A webhook, a topic by managed identity, and a queue by a connection of its own."""
    with receiving() as (hook, url), receiving() as (topic, topic_url):
        notices = {
            "hr": {"type": "webhook", "url": f"{url}/hook", "secrets": [SECRET]},
            "jamf": {
                "type": "eventGrid",
                "endpoint": f"{topic_url}/api/events",
                "audience": "https://eventgrid.azure.net",
            },
            "*": {"type": "queue", "connection": "UPDATES_STORAGE", "queue": "outcomes"},
        }
        with stack(NOTICES=json.dumps(notices), **QUICK) as parts:
            ids = {source: post(parts.base_url, source=source)["id"] for source in ("hr", "jamf", "other")}
            assert all(final(parts.base_url, update_id)["status"] == "succeeded" for update_id in ids.values())
            until(lambda: hook.events.keys() == {ids["hr"]} and topic.events.keys() == {ids["jamf"]}, 30, "notices")
            outcomes = QueueClient.from_connection_string(parts.storage.connection_string, "outcomes")
            until(lambda: counts(parts.base_url) == {"sent": 3, "waiting": 0, "dropped": 0}, 30, "the counts")
            (message,) = outcomes.receive_messages()
            assert json.loads(base64.b64decode(message.content))["id"] == ids["other"]
    assert len(topic.tokens) == 1
