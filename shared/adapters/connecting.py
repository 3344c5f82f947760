"""Connect to a host within one limit: its addresses side by side, as RFC 8305 (Happy Eyeballs) describes.

``socket.create_connection`` tries one address after the other, each with the whole timeout, and resolving has none
(docs/graph-facts.md#f93). ``aiohappyeyeballs`` does this for asyncio only.
"""

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any, Self

type AddressInfo = tuple[Any, Any, int, str, Any]
type Resolve = Callable[..., Sequence[AddressInfo]]
type SocketOptions = Sequence[tuple[Any, ...]] | None

#: Seconds before the next address is tried beside the one before it (RFC 8305, section 5).
_STAGGER_SECONDS = 0.25


def connect(host: str, port: int, seconds: float, *, resolve: Resolve, options: SocketOptions = None) -> socket.socket:
    """Return a socket that is connected within ``seconds``. Raise ``OSError``: ``TimeoutError``, ``gaierror``, ..."""
    end = time.monotonic() + seconds
    addresses = _interleaved(_resolved(host, port, seconds, resolve))
    if not addresses:
        raise OSError(f"{host} has no address")
    with _Race(options) as race:
        return race.run(addresses, end)


def _resolved(host: str, port: int, seconds: float, resolve: Resolve) -> Sequence[AddressInfo]:
    """Return the host's addresses; a resolver that hangs is left behind on its own thread."""
    found: Future[Sequence[AddressInfo]] = Future()

    def look_up() -> None:
        try:
            found.set_result(resolve(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: raised where it is awaited
            found.set_exception(error)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    return found.result(timeout=seconds)


def _interleaved(addresses: Sequence[AddressInfo]) -> list[AddressInfo]:
    """Return the addresses so that the families alternate (RFC 8305, section 4)."""
    if not addresses:
        return []
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    return [address for address in chain.from_iterable(zip_longest(first, others)) if address is not None]


class _Race:
    """Connections that are being made at one time; all but the first are closed at the end."""

    def __init__(self, options: SocketOptions) -> None:
        self._options = options or ()
        self._selector = selectors.DefaultSelector()
        self._error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            self._drop(key.fileobj)
        self._selector.close()

    def run(self, addresses: Sequence[AddressInfo], end: float) -> socket.socket:
        """Return the first socket that is connected."""
        waiting = list(addresses)
        while waiting or self._selector.get_map():
            if waiting:
                self._start(waiting.pop(0))
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no address answered in time")
            connected = self._first(min(left, _STAGGER_SECONDS) if waiting else left)
            if connected is not None:
                return connected
        raise self._error or TimeoutError("no address answered in time")

    def _start(self, address: AddressInfo) -> None:
        family, kind, protocol, _, where = address
        opened: socket.socket | None = None
        try:
            opened = socket.socket(family, kind, protocol)
            opened.settimeout(0)
            for option in self._options:
                opened.setsockopt(*option)
            with suppress(BlockingIOError):
                opened.connect(where)
            self._selector.register(opened, selectors.EVENT_WRITE, opened)
        except OSError as error:
            self._error = error
            if opened is not None:
                opened.close()

    def _first(self, seconds: float) -> socket.socket | None:
        """Wait for a connection; one that fails makes room for the next address at once."""
        if not self._selector.get_map():
            return None
        for key, _ in self._selector.select(seconds):
            opened: socket.socket = key.data
            code = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                self._selector.unregister(opened)
                opened.settimeout(None)
                return opened
            self._error = OSError(code, os.strerror(code))
            self._drop(opened)
        return None

    def _drop(self, opened: Any) -> None:
        self._selector.unregister(opened)
        opened.close()
