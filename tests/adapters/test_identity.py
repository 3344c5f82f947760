"""The real azure-identity against an endpoint of the App Service kind."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from emulator.children import free_ports
from emulator.stack import EmulatedIdentity, started
from emulator.tokens import WRITE_ROLE, claims_of
from shared.adapters.identity import ManagedIdentity
from shared.service.ports.graph import IdentityUnavailable
from tests.adapters.sockets import answering, serving

SCOPE = "https://graph.microsoft.com/.default"
CLIENT = "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


def identity_of(client_id: str | None) -> ManagedIdentity:
    """Return the app's identity."""
    return ManagedIdentity(scope=SCOPE, client_id=client_id, clock=lambda: datetime.now(UTC))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedIdentity]:
    """Where azure-identity asks."""
    with started(EmulatedIdentity()) as part:
        for name, value in part.environment.items():
            monkeypatch.setenv(name, value)
        yield part


def test_a_token_is_for_graph_and_is_asked_for_once(endpoint: EmulatedIdentity) -> None:
    """azure-identity caches it; a system-assigned identity names no client."""
    identity = identity_of(None)

    tokens = {identity.token() for _ in range(5)}

    claims = claims_of(tokens.pop())
    assert claims is not None
    assert (claims["aud"], claims["roles"]) == ("https://graph.microsoft.com", [WRITE_ROLE])
    (asked,) = endpoint.requests()
    assert asked["query"] == {"api-version": "2019-08-01", "resource": "https://graph.microsoft.com"}


def test_a_user_assigned_identity_names_its_client(endpoint: EmulatedIdentity) -> None:
    """The setting AZURE_CLIENT_ID."""
    identity_of(CLIENT).token()
    assert endpoint.requests()[0]["query"]["client_id"] == CLIENT


def test_a_rejected_token_is_replaced_once_for_all_who_were_rejected(endpoint: EmulatedIdentity) -> None:
    """Threads that were rejected together share the fresh one."""
    identity = identity_of(None)
    rejected = identity.token()

    fresh = [identity.fresh_token(rejected) for _ in range(3)]

    assert len(set(fresh)) == 1
    assert fresh[0] != rejected
    assert len(endpoint.requests()) == 2


@pytest.mark.parametrize("fault", [{"kind": "noIdentity"}, {"kind": "garbage"}, {"kind": "status", "status": 404}])
def test_whatever_fails_is_no_token(endpoint: EmulatedIdentity, fault: dict[str, object]) -> None:
    """Also a bare ValueError (docs/graph-facts.md#f26); once mended, a token comes."""
    identity = identity_of(None)
    endpoint.fault(str(fault.pop("kind")), count=1, **fault)

    with pytest.raises(IdentityUnavailable):
        identity.token()

    assert identity.token()


def test_a_failure_is_told_in_the_endpoints_own_words(endpoint: EmulatedIdentity) -> None:
    """Its status, its code and words; never the name of a class."""
    endpoint.fault("noIdentity", count=None)
    with pytest.raises(IdentityUnavailable) as raised:
        identity_of(None).token()
    assert str(raised.value).startswith(
        "the identity endpoint answered 400 invalid_scope No User Assigned or Delegated Managed Identity found"
    )


def test_an_expiry_as_a_date_does_not_hide_the_token(endpoint: EmulatedIdentity) -> None:
    """The token's own ``exp`` counts, and it is asked for once."""
    endpoint.fault("dateExpiry", count=None)
    identity = identity_of(None)
    assert len({identity.token() for _ in range(3)}) == 1
    assert len(endpoint.requests()) == 1


def test_a_slow_endpoint_is_asked_once_for_all_who_wait(endpoint: EmulatedIdentity) -> None:
    """App Service's first token was seen to take six seconds (docs/graph-facts.md#f92)."""
    endpoint.fault("token", delaySeconds=1)
    identity = identity_of(None)
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: identity.token(), range(8)))
    assert len(tokens) == 1
    assert endpoint.summary()["calls"] == 1


def test_a_long_retry_after_is_nobodys_sleep(endpoint: EmulatedIdentity) -> None:
    """azure-core would sleep for 300 s in place; the endpoint is left alone for a minute at most."""
    endpoint.fault("status", count=None, status=429, retryAfter=300)
    now = [datetime.now(UTC)]
    identity = ManagedIdentity(scope=SCOPE, client_id=None, clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(IdentityUnavailable, match=r"429.*asks to wait for 300 seconds"):
            identity.token()
    assert len(endpoint.requests()) == 1

    endpoint.mend()
    now[0] += timedelta(seconds=61)
    assert identity.token()


def test_no_proxy_of_the_environment_sees_the_call(endpoint: EmulatedIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its header is a secret."""
    with serving(answering()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert identity_of(None).token()
    assert not proxy.requests


def test_an_endpoint_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words about the network."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{free_ports(1)[0]}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
    with pytest.raises(IdentityUnavailable) as raised:
        identity_of(None).token()
    assert str(raised.value) == "the identity endpoint could not be reached: the connection was refused"
