"""A plain TCP relay in front of other parts that reads the request lines which pass: for counting, and for killing."""

import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

_REQUEST = re.compile(rb"(GET|PUT|POST|DELETE|PATCH|MERGE) (/\S*) HTTP/1\.1\r\n")
#: The Functions host's own calls of the queue trigger: receive, delete, renew.
HOSTS = re.compile(
    r"(GET /devstoreaccount1/[^/]+/messages\?(?!peekonly)|(DELETE|PUT) /devstoreaccount1/[^/]+/messages/)"
)


@dataclass
class Calls:
    """The request lines that passed, in their order."""

    lines: list[str] = field(default_factory=list)
    #: Called with each line before the request goes on; the request does not go on where this raises ``OSError``.
    watch: Callable[[str], None] = lambda _: None

    def app(self) -> int:
        """Return how many were the app's: not the host's own, and none that create tables."""
        return sum(1 for line in self.lines if not HOSTS.match(line) and "/Tables" not in line)

    def saw(self, part: bytes) -> None:
        """Note the request lines in these bytes, which are on their way to a server."""
        # A batch's inner requests name full addresses, so they do not match: a batch is one call.
        for match in _REQUEST.finditer(part):
            line = f"{match[1].decode()} {match[2].decode()}"
            self.lines.append(line)
            self.watch(line)


@contextmanager
def wire_tap(ports: Iterable[int]) -> Iterator[tuple[dict[int, int], Calls]]:
    """Yield for each port the port that leads there through the relay, and the calls seen."""
    calls = Calls()
    with ExitStack() as relays:
        yield {port: relays.enter_context(_relay(port, calls)) for port in ports}, calls


def redirected(text: str, tapped: dict[int, int]) -> str:
    """Return the text with the ports of its addresses replaced."""
    for port, instead in tapped.items():
        text = re.sub(rf"(127\.0\.0\.1:){port}\b", rf"\g<1>{instead}", text)
    return text


@contextmanager
def _relay(port: int, calls: Calls) -> Iterator[int]:
    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
                client: socket.socket = self.request
                for connection in (client, server):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=_pump, args=(server, client, None))
                back.start()
                _pump(client, server, calls)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as listener:
        serving = threading.Thread(target=listener.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield listener.server_address[1]
        finally:
            listener.shutdown()
            serving.join()


def _pump(source: socket.socket, target: socket.socket, calls: Calls | None) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            if calls is not None:
                calls.saw(part)
            target.sendall(part)
    for connection in (source, target):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
