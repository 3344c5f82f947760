"""One credential for all threads: one call at a time, renewed early, made again after repeated failure."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.credentials import AccessToken

from shared.adapters.shared_credential import FAILURES_TO_REBUILD, NoToken, SharedCredential
from shared.adapters.total_limit import TotalLimit

NOW = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)


class Tokens:
    """Numbered tokens of some life, or none."""

    def __init__(self, life: float = 3600) -> None:
        self.now, self.life, self.fails = NOW, life, False
        self.calls = self.made = 0

    def source(self) -> "Tokens":
        """Count the sources that are made."""
        self.made += 1
        return self

    def get(self, _scope: str, _claims: str | None) -> AccessToken:
        """Return the next token."""
        self.calls += 1
        if self.fails:
            raise RuntimeError("secret")
        return AccessToken(f"token-{self.calls}", int(self.now.timestamp() + self.life))

    def why(self, _error: Exception, _limit: TotalLimit) -> str:
        """Return the words."""
        return "it is away"

    def credential(self, make: "Callable[[], Tokens] | None" = None) -> SharedCredential:
        """Return a credential over these."""
        return SharedCredential("scope", make or self.source, clock=lambda: self.now, patience_seconds=5)


@pytest.mark.parametrize(("life", "kept"), [(3600, 3300), (24 * 3600, 12 * 3600)])
def test_a_token_is_kept_until_shortly_before_its_end(life: int, kept: int) -> None:
    """One that lives for a day is renewed at noon."""
    tokens = Tokens(life)
    credential = tokens.credential()
    for seconds, calls in ((0, 1), (kept - 1, 1), (kept, 2)):
        tokens.now = NOW + timedelta(seconds=seconds)
        credential.get_token()
        assert tokens.calls == calls


def test_a_token_that_still_lives_is_better_than_none() -> None:
    """The endpoint may be away when it is to be renewed."""
    tokens = Tokens()
    credential = tokens.credential()
    first = credential.get_token()
    tokens.fails, tokens.now = True, NOW + timedelta(seconds=3400)
    assert credential.get_token() == first
    tokens.now = NOW + timedelta(seconds=3601)
    with pytest.raises(NoToken, match="it is away"):
        credential.get_token()


def test_after_repeated_failure_the_credential_is_made_again() -> None:
    """A long-lived one may hold a stale secret (docs/graph-facts.md#f29)."""
    tokens = Tokens()
    tokens.fails = True
    credential = tokens.credential()
    for _ in range(FAILURES_TO_REBUILD):
        with pytest.raises(NoToken):
            credential.get_token()
    assert tokens.made == 2


def test_who_is_out_of_patience_leaves_and_the_token_still_comes() -> None:
    """A request of the API cannot wait as long as a delivery."""
    tokens, answer = Tokens(), threading.Event()
    get = tokens.get

    def slow(scope: str, claims: str | None) -> AccessToken:
        answer.wait()
        return get(scope, claims)

    tokens.get = slow  # type: ignore[method-assign]
    credential = SharedCredential("scope", tokens.source, clock=lambda: NOW, patience_seconds=0.01)
    with ThreadPoolExecutor(4) as threads:
        refused = [threads.submit(credential.get_token).exception() for _ in range(4)]
    assert {str(error) for error in refused} == {"the identity endpoint did not answer within 0.01 seconds"}
    assert tokens.calls == 0

    patient = SharedCredential("scope", tokens.source, clock=lambda: NOW, patience_seconds=5)
    answer.set()
    assert patient.get_token().token.startswith("token-")
