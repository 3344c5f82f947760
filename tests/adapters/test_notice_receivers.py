"""Receivers of notices over real sockets: signed, in time, never redirected, whatever the receiver does."""

import json
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from shared.adapters.notice_receivers import (
    EventGridReceiver,
    HttpPost,
    QueueReceiver,
    WebhookReceiver,
    event_grid_query,
)
from shared.service.ports.graph import IdentityUnavailable
from shared.service.ports.notices import Gone, NotTaken, Taken
from tests.adapters.certificates import certificate
from tests.adapters.sockets import Play, Server, answering, serving

FIRST = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"  # pragma: allowlist secret
SECOND = "whsec_" + "WFlaYWJjZGVmZ2hpamtsbW5vcHFyc3R1"  # pragma: allowlist secret
EVENT = {"id": "019ab1f2-3c4d-7e5f-8a6b-7c8d9e0f1a2b", "type": "ComplianceStatusRelay.Update.Failed", "é": "ü"}


def webhook(url: str, *secrets: str, seconds: float = 5) -> WebhookReceiver:
    """Return a receiver under that URL."""
    post = HttpPost(url, user_agent="relay", pool_size=2, limit_seconds=seconds)
    return WebhookReceiver(post, secrets or (FIRST,), lambda: datetime.now(UTC))


def sent(server: Server, n: int = 0) -> tuple[str, dict[str, str], bytes]:
    """Return a request's first line, headers and body."""
    head, _, body = server.requests[n].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}, body


def test_the_reference_library_verifies_each_secret() -> None:
    """The id is the event's; a receiver that knows either secret accepts it."""
    with serving(answering("204 No Content", b"")) as server:
        assert webhook(f"{server.url}/hook?sig=a", FIRST, SECOND).send(EVENT) == Taken()
    first, headers, body = sent(server)
    assert first == "POST /hook?sig=a HTTP/1.1"
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["webhook-id"] == EVENT["id"]
    for secret in (FIRST, SECOND):
        assert Webhook(secret).verify(body, headers) == EVENT
    assert len(headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize(
    ("status", "receipt"),
    [
        ("200 OK", Taken()),
        ("202 Accepted", Taken()),
        ("410 Gone", Gone()),
        ("301 Moved Permanently", NotTaken("it answered 301")),
        ("401 Unauthorized", NotTaken("it answered 401")),
        ("429 Too Many Requests", NotTaken("it answered 429")),
        ("500 Internal Server Error", NotTaken("it answered 500")),
    ],
)
def test_an_answer_means_what_its_status_says(status: str, receipt: object) -> None:
    """A redirect is not followed, and a cookie not kept."""
    with serving(answering(status, b"{}", "Location: /elsewhere\r\nSet-Cookie: a=b\r\n"), keep=True) as server:
        receiver = webhook(server.url)
        assert [receiver.send(EVENT), receiver.send(EVENT)] == [receipt, receipt]
    assert len(server.requests) == 2
    assert "cookie" not in sent(server, 1)[1]


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def garbage(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"SMTP ready\r\n\r\n")


def hang_up(connection: socket.socket, _: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("play", [reset, garbage, hang_up])
def test_a_connection_that_breaks_is_a_value(play: Play) -> None:
    """Another attempt may succeed."""
    with serving(play) as server:
        assert webhook(server.url).send(EVENT) == NotTaken("the connection broke")


def dripping(end: threading.Event) -> Callable[[socket.socket, bytes], None]:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not end.wait(0.05):
            connection.sendall(b"a")

    return drip


@pytest.mark.parametrize("kind", ["hangs", "drips"])
def test_a_receiver_that_never_ends_its_answer_is_left_in_time(kind: str) -> None:
    """Its total limit ends the call, however many bytes come."""
    end = threading.Event()

    def hang(_connection: socket.socket, _: bytes) -> None:
        end.wait()

    with serving(hang if kind == "hangs" else dripping(end)) as server:
        try:
            assert webhook(server.url, seconds=0.3).send(EVENT) == NotTaken("it did not answer in time")
        finally:
            end.set()


def test_a_body_of_100_megabytes_is_not_read() -> None:
    """The status is all that counts."""

    def play(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _chunk in range(1000):
            connection.sendall(b"x" * 100_000)

    with serving(play) as server:
        assert webhook(server.url).send(EVENT) == Taken()


def test_nobody_there_and_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    """What is sent has a reason, without the URL."""
    import ssl

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    refused = webhook(f"http://127.0.0.1:{port}/hook?sig=secret").send(EVENT)
    assert isinstance(refused, NotTaken)
    assert "refused" in refused.reason
    assert "secret" not in refused.reason

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_handshake, args=(listener, context))
        thread.start()
        untrusted = webhook(f"https://127.0.0.1:{listener.getsockname()[1]}").send(EVENT)
        thread.join()
    assert isinstance(untrusted, NotTaken)
    assert "certificate is not trusted" in untrusted.reason


def _handshake(listener: socket.socket, context: Any) -> None:
    connection, _ = listener.accept()
    with connection:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            return


class Tokens:
    """An identity with two tokens."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down

    def token(self) -> str:
        if self.down:
            raise IdentityUnavailable("no identity")
        return "stale"

    def fresh_token(self, rejected: str) -> str:
        return f"not-{rejected}"


def test_event_grid_gets_the_event_with_a_token() -> None:
    """A fresh one where the first is refused; the endpoint may name its own version."""

    def play(connection: socket.socket, request: bytes) -> None:
        status = "200 OK" if b"Bearer not-stale" in request else "401 Unauthorized"
        answering(status, b"")(connection, request)

    with serving(play) as server:
        endpoint = f"{server.url}/api/events"
        post = HttpPost(endpoint, user_agent="relay", pool_size=2)
        assert EventGridReceiver(post, Tokens(), event_grid_query(endpoint)).send(EVENT) == Taken()
    first, headers, body = sent(server, 1)
    assert first == "POST /api/events?api-version=2018-01-01 HTTP/1.1"
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert json.loads(body) == EVENT
    assert event_grid_query("https://n.example/topics/t:publish?api-version=2024-06-01") == {}
    assert EventGridReceiver(post, Tokens(down=True), {}).send(EVENT) == NotTaken("no token: no identity")


def test_a_queue_that_is_away_is_a_value() -> None:
    """And one that is there has the event as one message."""
    from shared.service.ports.storage import Unavailable
    from tests.fakes.queue import MemoryQueue
    from tests.fakes.runtime import SteppedClock

    queue = MemoryQueue(SteppedClock())
    assert QueueReceiver(queue).send(EVENT) == Taken()
    assert queue.documents() == [EVENT]

    def away(*_: object) -> None:
        raise Unavailable("queue: away")

    queue.put = away  # type: ignore[method-assign, assignment]
    assert QueueReceiver(queue).send(EVENT) == NotTaken("queue: away")
