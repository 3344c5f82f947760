"""A server on a raw socket: each connection is handed to a function, so that any misbehaviour can be played."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

type Play = Callable[[socket.socket, bytes], None]


@dataclass
class Server:
    """Where it listens, and what it was sent."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closed: int = 0

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(play: Play, *, keep: bool = False) -> Iterator[Server]:
    """Answer each request with ``play``; one request a connection unless ``keep``."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])
    threads: list[threading.Thread] = []
    open_: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            open_.append(connection)
            thread = threading.Thread(target=talk, args=(connection,))
            threads.append(thread)
            thread.start()

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while (whole := read_request(connection)) is not None:
                server.requests.append(whole)
                play(connection, whole)
                if not keep:
                    break
        server.closed += 1

    threads.append(threading.Thread(target=serve))
    threads[0].start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def read_request(connection: socket.socket) -> bytes | None:
    """Headers and body of one request; None at the end."""
    whole = b""
    while b"\r\n\r\n" not in whole:
        part = connection.recv(65536)
        if not part:
            return None
        whole += part
    head, _, body = whole.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(status: str = "200 OK", body: bytes = b"{}", headers: str = "") -> Play:
    """A plain answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
    return lambda connection, _: connection.sendall(head + body)
