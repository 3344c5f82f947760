"""HTTP calls that keep to one limit, from resolving to the last byte, and use no connection that was idle for long.

The timeouts of ``requests`` are per address and per read, so that a server with many dead addresses, or one that drips
a byte a second, is never late for them. Here every connection is known to the call that uses it, and at the limit its
socket is shut down, which ends whatever waits on it.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from shared.adapters.connecting import Resolve, connect

#: A firewall or NAT may have dropped a connection that was idle for longer, without a word to us.
MAX_IDLE_SECONDS = 60.0
#: Where there is no limit around the call.
_CONNECT_SECONDS = 10.0

_current = threading.local()


class TotalLimit:
    """One call's limit. ``passed``: it was the limit that ended the call. ``sent``: the request may have gone out."""

    def __init__(self, seconds: float) -> None:
        self.passed = self.sent = False
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def left(self) -> float:
        """Return the seconds that are left, at least a moment."""
        return max(self._end - time.monotonic(), 0.001)

    def watch(self, opened: socket.socket | None) -> None:
        """Name the socket to shut down."""
        with self._lock:
            self._socket = opened
            if self.passed:
                self._shut()

    def end(self) -> None:
        """End the call: time is up."""
        with self._lock:
            self.passed = True
            self._shut()

    def forget(self) -> None:
        """Leave the connection to another call: this one is over."""
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
    limit = TotalLimit(seconds)
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


def _limit_of_call() -> TotalLimit | None:
    limit: TotalLimit | None = getattr(_current, "limit", None)
    return limit


class _Limited:
    """What both kinds of connection do differently from urllib3's."""

    def __init__(self, *args: Any, resolve: Resolve, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resolve = resolve
        self.idle_since: float | None = None

    def _new_conn(self: Any) -> socket.socket:
        limit = _limit_of_call()
        seconds = limit.left() if limit else self.timeout or _CONNECT_SECONDS
        try:
            opened = connect(self._dns_host, self.port, seconds, resolve=self._resolve, options=self.socket_options)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"{self.host} could not be connected to in time") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"{self.host} could not be connected to: {error}") from error
        # The TLS handshake has what is left.
        opened.settimeout(limit.left() if limit else self.timeout)
        return opened

    def request(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        limit = _limit_of_call()
        if limit is not None:
            limit.watch(self.sock)
            limit.sent = True
        super().request(*args, **kwargs)  # type: ignore[misc]


class _Plain(_Limited, HTTPConnection):
    pass


class _Secure(_Limited, HTTPSConnection):
    pass


class _Fresh:
    """A pool that closes a connection which was idle for too long, so that it is made again."""

    def __init__(self, *args: Any, clock: Callable[[], float], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock = clock

    def _get_conn(self: Any, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        idle_since = connection.idle_since
        if idle_since is not None and self._clock() - idle_since >= MAX_IDLE_SECONDS:
            connection.close()
        return connection

    def _put_conn(self: Any, connection: Any) -> None:
        if connection is not None:
            connection.idle_since = self._clock()
        super()._put_conn(connection)  # type: ignore[misc]


class _PlainPool(_Fresh, HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(_Fresh, HTTPSConnectionPool):
    ConnectionCls = _Secure


class LimitedAdapter(HTTPAdapter):
    """A ``requests`` adapter whose calls keep to the ``total_limit`` around them; it never retries by itself.

    ``resolve`` looks names up as ``socket.getaddrinfo`` does, ``clock`` counts seconds.
    """

    def __init__(
        self,
        pool_size: int,
        *,
        resolve: Resolve = socket.getaddrinfo,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pools: dict[str, Any] = {
            "http": partial(_PlainPool, resolve=resolve, clock=clock),
            "https": partial(_SecurePool, resolve=resolve, clock=clock),
        }
        super().__init__(pool_connections=4, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools as the parent does, of limited connections."""
        super().init_poolmanager(*args, **kwargs)
        self._limit(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pools of a proxy as the parent does, of limited connections."""
        manager = super().proxy_manager_for(*args, **kwargs)
        self._limit(manager)
        return manager

    def _limit(self, manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = self._pools
