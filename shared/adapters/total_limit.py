"""A limit for one whole HTTP call, connect to last byte.

The timeouts of ``requests`` are per read, so a server that drips a byte a second is never late for them. Here every
connection is known to the call that uses it, and at the limit its socket is shut down, which ends whatever waits on it.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_current = threading.local()


class TotalLimit:
    """One call's limit: ``passed`` tells whether it was it that ended the call."""

    def __init__(self) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def watch(self, opened: socket.socket | None) -> None:
        """Name the socket to shut down."""
        with self._lock:
            self._socket = opened
            if self.passed:
                self._shut()

    def end(self) -> None:
        """Time is up."""
        with self._lock:
            self.passed = True
            self._shut()

    def forget(self) -> None:
        """The call is over: its connection may serve another."""
        with self._lock:
            self._socket = None

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # The plain call: an SSLSocket's own would first wait for the peer.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextmanager
def total_limit(seconds: float) -> Iterator[TotalLimit]:
    """Limit the requests that this thread makes inside, through a ``LimitedAdapter``."""
    limit = TotalLimit()
    timer = threading.Timer(seconds, limit.end)
    timer.daemon = True
    _current.limit = limit
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()
        limit.forget()
        _current.limit = None


def _watch(connection: HTTPConnection) -> None:
    limit: TotalLimit | None = getattr(_current, "limit", None)
    if limit is not None:
        limit.watch(connection.sock)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)
        super().request(*args, **kwargs)


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)
        super().request(*args, **kwargs)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class LimitedAdapter(HTTPAdapter):
    """A ``requests`` adapter whose calls keep to the ``total_limit`` around them; it never retries by itself."""

    def __init__(self, pool_size: int) -> None:
        super().__init__(pool_connections=2, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As the parent, with connections that are watched."""
        super().init_poolmanager(*args, **kwargs)
        _limit(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """As the parent, with connections that are watched."""
        manager = super().proxy_manager_for(*args, **kwargs)
        _limit(manager)
        return manager


def _limit(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
