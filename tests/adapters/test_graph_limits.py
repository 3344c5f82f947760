"""The limit of a whole Graph call, and the connections that it uses."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from emulator.children import free_ports
from emulator.stack import until
from shared.adapters.connecting import Resolve
from shared.adapters.total_limit import MAX_IDLE_SECONDS, LimitedAdapter
from shared.core.delivery.graph_reply import TransportFault
from shared.core.delivery.reply_kind import NetworkFault, ReplyKind
from tests.adapters.graph_client import graph, reply
from tests.adapters.sockets import answering, serving
from tests.builders import EXAMPLE, POLICY, USER


@pytest.fixture
def endless() -> Iterator[threading.Event]:
    """Set when the test is over, so that no server outlives it."""
    over = threading.Event()
    yield over
    over.set()


def test_a_server_that_is_not_there_was_never_sent_anything() -> None:
    """Refused, or a name that nobody has."""
    for root in (f"http://127.0.0.1:{free_ports(1)[0]}", "http://nobody.invalid"):
        got = graph(root).patch_user_status(POLICY, USER, EXAMPLE, token="t").reply
        assert got.transport is TransportFault.UNREACHABLE


def test_silence_ends_at_the_limit() -> None:
    """A hung server costs one limit."""
    assert reply(lambda connection, _: connection.recv(1) and None, seconds=1).transport is TransportFault.TIMEOUT


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", ReplyKind.TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", ReplyKind.UNREADABLE_SUCCESS),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 100000\r\n\r\n", ReplyKind.THROTTLED),
    ],
)
def test_a_dripping_server_is_cut_off_at_the_limit(endless: threading.Event, head: bytes, kind: ReplyKind) -> None:
    """In its headers or its body: the limit is for the whole call, and a whole head is an answer."""

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        text = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 if not head else b" " * 100_000
        for byte in text:
            if endless.wait(0.05):
                return
            connection.sendall(bytes([byte]))

    assert reply(drip, seconds=1).kind is kind


def test_a_connection_that_the_server_closed_while_idle_is_no_fault() -> None:
    """Another one is opened, unseen."""
    with serving(answering()) as server:
        adapter = graph(server.url)
        for count in range(1, 6):
            assert adapter.patch_user_status(POLICY, USER, EXAMPLE, token="t").reply.status_code == 200
            until(lambda count=count: server.closed == count)  # type: ignore[misc]


def test_connections_are_kept() -> None:
    """One serves many calls, also after a limit was set on each."""
    with serving(answering(), keep=True) as server:
        adapter = graph(server.url)
        for _ in range(5):
            adapter.patch_user_status(POLICY, USER, EXAMPLE, token="t")
    assert (len(server.requests), server.connections) == (5, 1)


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address that takes no connection: whoever connects waits."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):  # the queue of connections to accept is full, and stays so
            client = waiting.enter_context(socket.socket())
            client.settimeout(0)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()


def resolving(*addresses: tuple[str, int]) -> Resolve:
    """Return a resolver of just these addresses."""
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]


def test_dead_addresses_before_the_good_one_do_not_delay_the_call(silent: tuple[str, int]) -> None:
    """graph.microsoft.com has sixteen; they are tried side by side (docs/graph-facts.md#f93)."""
    refused = ("127.0.0.1", free_ports(1)[0])
    with serving(answering()) as server:
        resolve = resolving(*[silent] * 7, refused, ("127.0.0.1", server.port))
        answer = graph("http://graph.invalid", seconds=10, resolve=resolve).patch_user_status(
            POLICY, USER, EXAMPLE, token="t"
        )
    assert answer.reply.kind is ReplyKind.SUCCESS
    assert len(server.requests) == 1


def hanging(over: threading.Event) -> Resolve:
    """Return a resolver that gives no answer before the test is over."""

    def resolve(*_: Any, **__: Any) -> Any:
        over.wait()
        return []

    return resolve


@pytest.mark.parametrize("dead", ["addresses", "resolver"])
def test_the_limit_covers_resolving_and_connecting(
    silent: tuple[str, int], endless: threading.Event, dead: str
) -> None:
    """Nothing was sent, so it cannot land."""
    resolve = resolving(*[silent] * 8) if dead == "addresses" else hanging(endless)
    got = graph("http://graph.invalid", seconds=1, resolve=resolve).patch_user_status(POLICY, USER, EXAMPLE, token="t")
    assert (got.reply.kind, got.reply.network) == (ReplyKind.NEVER_SENT, NetworkFault.NO_ANSWER)


def test_a_tls_handshake_without_answer_was_never_sent_anything() -> None:
    """It ends at the limit, and holds no lease."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        root = f"https://127.0.0.1:{listener.getsockname()[1]}"
        got = graph(root, seconds=1).patch_user_status(POLICY, USER, EXAMPLE, token="t")
    assert (got.reply.kind, got.reply.network) == (ReplyKind.NEVER_SENT, NetworkFault.NO_ANSWER)


def test_an_idle_connection_is_not_used_again() -> None:
    """A firewall drops it silently, and the first write would hang to its limit."""
    now = [0.0]
    with serving(answering(), keep=True) as server, requests.Session() as session:
        session.mount("http://", LimitedAdapter(1, clock=lambda: now[0]))
        for idle in (0, MAX_IDLE_SECONDS - 1, MAX_IDLE_SECONDS + 1):
            now[0] += idle
            assert session.get(server.url, timeout=5).status_code == 200
    assert (len(server.requests), server.connections) == (3, 2)
