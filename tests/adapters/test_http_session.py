"""Which calls go through a proxy of the environment, and which certificates are trusted."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from emulator.children import free_ports
from shared.adapters.http_session import CERTIFICATE_VARIABLES, is_loopback, new_session
from shared.adapters.total_limit import LimitedAdapter
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import NetworkFault, ReplyKind
from tests.adapters.certificates import certificate
from tests.adapters.graph_client import graph
from tests.adapters.sockets import answering, read_request, serving
from tests.builders import EXAMPLE, POLICY, USER

PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def patched(root: str) -> GraphReply:
    """Return the reply to one write."""
    return graph(root, seconds=5).patch_user_status(POLICY, USER, EXAMPLE, token="t").reply


def proxied(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Name a proxy for everything."""
    for name in PROXIES:
        monkeypatch.setenv(name, url)


def test_graph_goes_through_the_proxy_and_loopback_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy cannot reach what listens on this machine alone."""
    with serving(answering("407 Proxy Authentication Required", b"")) as proxy, serving(answering()) as near:
        proxied(monkeypatch, proxy.url)
        assert patched(near.url).kind is ReplyKind.SUCCESS
        assert not proxy.requests
        refused = patched("https://graph.microsoft.com")
    assert proxy.requests[0].startswith(b"CONNECT graph.microsoft.com:443 ")
    assert (refused.kind, refused.network) == (ReplyKind.NEVER_SENT, NetworkFault.PROXY)
    assert "407 Proxy Authentication Required" in (refused.message or "")


def test_a_session_can_be_without_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity endpoint's requests carry a secret, whatever its address is."""
    proxied(monkeypatch, "http://127.0.0.1:9")
    far = "http://169.254.131.2:8081/msi/token"
    assert new_session(far, LimitedAdapter(1)).proxies
    assert not new_session(far, LimitedAdapter(1), proxied=False).proxies


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://[::1]", True),
        ("http://localhost", True),
        ("https://graph.microsoft.com", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
    ],
)
def test_loopback_is_recognised(url: str, loopback: bool) -> None:
    """By address or name."""
    assert is_loopback(url) is loopback


@contextmanager
def accepting(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection after the other, as soon as it is there; the port."""

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def tls(cert: Path, private: Path) -> AbstractContextManager[int]:
    """Answer any request over TLS with an empty object."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, private)

    def talk(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as connection:
            answering()(connection, read_request(connection) or b"")

    return accepting(talk)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_companys_certificates_are_trusted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By either variable; without them the fault says what is not trusted, and by whom it was issued."""
    for other in CERTIFICATE_VARIABLES:
        monkeypatch.delenv(other, raising=False)
    cert, private = certificate(tmp_path)
    with tls(cert, private) as port:
        root = f"https://127.0.0.1:{port}"
        refused = patched(root)
        shown = graph(root).read_policies(token="t").reply.message or ""
        monkeypatch.setenv(name, str(cert))
        trusted = patched(root)
    assert (refused.kind, refused.network) == (ReplyKind.NEVER_SENT, NetworkFault.CERTIFICATE)
    assert "self-signed" in (refused.message or "")
    assert shown.endswith("; issued by CN=127.0.0.1")
    assert trusted.kind is ReplyKind.SUCCESS


@pytest.mark.parametrize(
    ("root", "network"),
    [
        ("http://127.0.0.1:{free}", NetworkFault.REFUSED),
        ("http://nobody.invalid", NetworkFault.NAME),
        ("https://127.0.0.1:{plain}", NetworkFault.PROTOCOL),
    ],
)
def test_a_fault_of_the_network_has_its_own_cause(root: str, network: NetworkFault) -> None:
    """Each has its own next step."""
    with accepting(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")) as port:
        named = root.format(free=free_ports(1)[0], plain=port)
        got = patched(named)
    assert (got.kind, got.network) == (ReplyKind.NEVER_SENT, network)
