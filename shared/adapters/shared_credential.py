"""One credential for all threads: one call at a time, whose result all who wait share.

The call runs on a thread of its own, up to 30 seconds, since App Service's first token was seen to take almost six
(docs/graph-facts.md#f92). Whoever waits may give up sooner; the token is then there for the next one.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Protocol

from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import ManagedIdentityCredential

from shared.adapters.http_session import new_session
from shared.adapters.network_fault import network_fault
from shared.adapters.sdk_transport import Answer, RecordingTransport, WaitTooLong
from shared.adapters.total_limit import LimitedAdapter, TotalLimit, total_limit
from shared.core.basics.access_token import expiry_of

#: Of one call of the credential.
CALL_SECONDS = 30.0
#: A long-lived instance may hold a stale endpoint secret: then only a new credential object helps
#: (docs/graph-facts.md#f29).
FAILURES_TO_REBUILD = 3
#: A token with less time to live is replaced (docs/graph-facts.md#f24).
_LEAST_SECONDS = 300
#: One that lives as long is replaced at half of its life.
_LONG_SECONDS = 7200
#: The longest that the endpoint is left alone on its own word, so that a mended one is noticed.
_MAX_REST_SECONDS = 60.0


class NoToken(ValueError):
    """No token could be had; the text says why and holds no secret. ``ValueError``, since the SDKs repeat their own."""


class Source(Protocol):
    """Where tokens come from."""

    def get(self, scope: str, claims: str | None) -> AccessToken:
        """Return a token. Raise anything."""
        ...

    def why(self, error: Exception, limit: TotalLimit) -> str:
        """Return what an error of ``get`` means, in words without secrets."""
        ...


class ManagedIdentitySource:
    """azure-identity's managed identity, over a transport that keeps what the endpoint answered."""

    def __init__(self, client_id: str | None) -> None:
        session = new_session("", LimitedAdapter(1), proxied=False)
        self._transport = RecordingTransport(session)
        self._credential: TokenCredential = ManagedIdentityCredential(
            client_id=client_id,
            transport=self._transport,
            retry_total=2,
            retry_backoff_factor=0.4,
            connection_timeout=5,
            read_timeout=CALL_SECONDS,
        )

    def get(self, scope: str, claims: str | None) -> AccessToken:
        """Return a token of the endpoint; where it tells the expiry as a date, the token's own ``exp`` counts."""
        self._transport.answer = None
        try:
            return self._credential.get_token(scope, claims=claims)
        except ValueError:
            token = _token_in(self._transport.answer)
            if token is None:
                raise
            return token

    def why(self, error: Exception, limit: TotalLimit) -> str:
        """Return the endpoint's status and words, or what broke; never the name of a class."""
        answer = self._transport.answer
        if answer is not None:
            wait = f", and {error}" if isinstance(error, WaitTooLong) else ""
            return f"the identity endpoint answered {answer}{wait}"
        if limit.passed:
            return f"the identity endpoint did not answer within {CALL_SECONDS:g} seconds"
        if limit.sent:
            return "the connection to the identity endpoint broke"
        if "IMDS" in str(error):
            return "there is no managed identity endpoint: IDENTITY_ENDPOINT and IDENTITY_HEADER are not set"
        return f"the identity endpoint could not be reached: {network_fault(error)[1]}"


def _token_in(answer: Answer | None) -> AccessToken | None:
    document = answer.document if answer is not None else None
    token = document.get("access_token") if isinstance(document, dict) else None
    expiry = expiry_of(token) if isinstance(token, str) else None
    return AccessToken(str(token), expiry) if expiry is not None else None


class SharedCredential:
    """A ``TokenCredential`` for one scope; its methods may be called from any thread."""

    def __init__(
        self,
        scope: str,
        new_source: Callable[[], Source],
        *,
        clock: Callable[[], datetime],
        patience_seconds: float = CALL_SECONDS,
    ) -> None:
        self._scope, self._new_source, self._patience = scope, new_source, patience_seconds
        self._clock: Callable[[], float] = lambda: clock().timestamp()
        self._lock = threading.Lock()
        self._source = new_source()
        self._failures = 0
        self._current: AccessToken | None = None
        self._renew_at = 0.0
        self._call: Future[AccessToken] | None = None
        self._rest_until, self._rest_why = 0.0, ""

    def get_token(self, *_scopes: str, claims: str | None = None, **_options: Any) -> AccessToken:
        """Return a token with some minutes to live; ``claims`` asks for one that was never given. Raise ``NoToken``."""
        with self._lock:
            current, now = None if claims else self._current, self._clock()
            if current is not None and now < self._renew_at:
                return current
            if now < self._rest_until:
                return _usable(current, now, self._rest_why)
            call = self._call = self._call or self._start(claims)
        try:
            return call.result(self._patience)
        except TimeoutError:
            why = f"the identity endpoint did not answer within {self._patience:g} seconds"
        except NoToken as error:
            why = str(error)
        return _usable(current, now, why)

    def fresh_token(self, rejected: str, claims: str) -> AccessToken:
        """Return another token than the rejected one, which callers that were rejected together share."""
        with self._lock:
            current = self._current
        if current is not None and current.token != rejected:
            return current
        return self.get_token(claims=claims)

    def _start(self, claims: str | None) -> Future[AccessToken]:
        call: Future[AccessToken] = Future()
        threading.Thread(target=self._run, args=(call, claims), name="identity", daemon=True).start()
        return call

    def _run(self, call: Future[AccessToken], claims: str | None) -> None:
        with total_limit(CALL_SECONDS) as limit:
            try:
                token = self._source.get(self._scope, claims)
            except Exception as error:  # noqa: BLE001 - the boundary: it fails in many ways (docs/graph-facts.md#f26)
                why = self._source.why(error, limit)
                self._failed(error, why)
                call.set_exception(NoToken(why))
            else:
                self._succeeded(token)
                call.set_result(token)

    def _succeeded(self, token: AccessToken) -> None:
        now = self._clock()
        life = token.expires_on - now
        with self._lock:
            self._call, self._failures, self._current, self._rest_until = None, 0, token, 0.0
            self._renew_at = now + (life / 2 if life >= _LONG_SECONDS else life - _LEAST_SECONDS)

    def _failed(self, error: Exception, why: str) -> None:
        with self._lock:
            self._call, self._failures = None, self._failures + 1
            if isinstance(error, WaitTooLong):
                self._rest_until, self._rest_why = self._clock() + min(error.seconds, _MAX_REST_SECONDS), why
            if self._failures >= FAILURES_TO_REBUILD:
                self._source, self._failures = self._new_source(), 0


def _usable(token: AccessToken | None, now: float, why: str) -> AccessToken:
    """Return the token that is known, while it lives. Raise ``NoToken``."""
    if token is not None and now < token.expires_on:
        return token
    raise NoToken(why)
