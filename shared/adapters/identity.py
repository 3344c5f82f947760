"""The app's managed identity through azure-identity: a cached token, a fresh one after a 401, and nothing else."""

import threading
from collections.abc import Callable

from azure.core.credentials import TokenCredential
from azure.identity import ManagedIdentityCredential

from shared.service.ports.graph import IdentityUnavailable

#: A long-lived instance may hold a stale endpoint secret: then only a new credential object helps
#: (docs/graph-facts.md#f29).
FAILURES_TO_REBUILD = 3
#: Sent to no one (docs/graph-facts.md#f25); its presence alone makes azure-identity ask the endpoint again.
_ANEW = '{"access_token":{"nbf":{"essential":true}}}'


class ManagedIdentity:
    """``Identity`` of the ports, for one scope."""

    def __init__(
        self, *, scope: str, client_id: str | None, new_credential: Callable[[], TokenCredential] | None = None
    ) -> None:
        self._scope = scope
        self._new_credential = new_credential or (
            lambda: ManagedIdentityCredential(client_id=client_id, retry_total=2, connection_timeout=3, read_timeout=5)
        )
        self._lock = threading.Lock()
        self._credential = self._new_credential()
        self._failures = 0
        self._current = ""

    def token(self) -> str:
        """A token with some minutes to live; azure-identity caches it. Raises ``IdentityUnavailable``."""
        return self._get()

    def fresh_token(self, rejected: str) -> str:
        """Another token than the rejected one; threads that were rejected together share it."""
        with self._lock:
            current = self._current
        return current if current not in ("", rejected) else self._get(claims=_ANEW)

    def _get(self, claims: str | None = None) -> str:
        with self._lock:
            credential = self._credential
        try:
            token = credential.get_token(self._scope, claims=claims).token
        except Exception as error:  # the boundary: it fails in many ways (docs/graph-facts.md#f26)
            self._failed()
            raise IdentityUnavailable(type(error).__name__) from error
        with self._lock:
            self._failures, self._current = 0, token
        return token

    def _failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES_TO_REBUILD:
                self._credential, self._failures = self._new_credential(), 0
