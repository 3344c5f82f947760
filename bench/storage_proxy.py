"""Counts the app's own storage calls: a plain TCP relay in front of Azurite's ports that reads request lines."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from emulator.stack import Azurite

_REQUEST = re.compile(rb"(GET|PUT|POST|DELETE|PATCH|MERGE) (/\S*) HTTP/1\.1\r\n")
#: The Functions host's own calls of the queue trigger: receive, delete, renew.
_HOSTS = re.compile(
    rb"(GET /devstoreaccount1/[^/]+/messages\?(?!peekonly)|(DELETE|PUT) /devstoreaccount1/[^/]+/messages/)"
)


@dataclass
class Calls:
    """How often each kind of request came."""

    lines: list[bytes] = field(default_factory=list)

    def app(self) -> int:
        """Calls of the app, without the host's and without making tables."""
        return sum(1 for line in self.lines if not _HOSTS.match(line) and b"/Tables" not in line)


@contextmanager
def counting_proxy(storage: Azurite) -> Iterator[tuple[str, Calls]]:
    """A connection string that leads through the relay, and the calls it has seen."""
    calls, listeners, text = Calls(), [], storage.connection_string
    for port in storage.ports:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        listeners.append(listener)
        threading.Thread(target=_accept, args=(listener, port, calls), daemon=True).start()
        text = text.replace(f":{port}/", f":{listener.getsockname()[1]}/")
    try:
        yield text, calls
    finally:
        for listener in listeners:
            listener.close()


def _accept(listener: socket.socket, port: int, calls: Calls) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection(("127.0.0.1", port))
        for source, target, seen in ((client, server, calls), (server, client, None)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pump, args=(source, target, seen), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket, calls: Calls | None) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            if calls is not None:
                # A batch's inner requests name full addresses, so they do not match: a batch is one call.
                calls.lines += [match[1] + b" " + match[2] for match in _REQUEST.finditer(part)]
            target.sendall(part)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
