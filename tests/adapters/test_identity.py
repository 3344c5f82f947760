"""The real azure-identity against an endpoint of the App Service kind."""

from collections.abc import Iterator

import pytest

from emulator.stack import EmulatedIdentity, started
from emulator.tokens import WRITE_ROLE, claims_of
from shared.adapters.identity import FAILURES_TO_REBUILD, ManagedIdentity
from shared.service.ports.graph import IdentityUnavailable

SCOPE = "https://graph.microsoft.com/.default"
CLIENT = "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedIdentity]:
    """Where azure-identity asks."""
    with started(EmulatedIdentity()) as part:
        for name, value in part.environment.items():
            monkeypatch.setenv(name, value)
        yield part


def test_a_token_is_for_graph_and_is_asked_for_once(endpoint: EmulatedIdentity) -> None:
    """azure-identity caches it; a system-assigned identity names no client."""
    identity = ManagedIdentity(scope=SCOPE, client_id=None)

    tokens = {identity.token() for _ in range(5)}

    claims = claims_of(tokens.pop())
    assert claims is not None
    assert (claims["aud"], claims["roles"]) == ("https://graph.microsoft.com", [WRITE_ROLE])
    (asked,) = endpoint.requests()
    assert asked["query"] == {"api-version": "2019-08-01", "resource": "https://graph.microsoft.com"}


def test_a_user_assigned_identity_names_its_client(endpoint: EmulatedIdentity) -> None:
    """The setting AZURE_CLIENT_ID."""
    ManagedIdentity(scope=SCOPE, client_id=CLIENT).token()
    assert endpoint.requests()[0]["query"]["client_id"] == CLIENT


def test_a_rejected_token_is_replaced_once_for_all_who_were_rejected(endpoint: EmulatedIdentity) -> None:
    """Threads that were rejected together share the fresh one."""
    identity = ManagedIdentity(scope=SCOPE, client_id=None)
    rejected = identity.token()

    fresh = [identity.fresh_token(rejected) for _ in range(3)]

    assert len(set(fresh)) == 1
    assert fresh[0] != rejected
    assert len(endpoint.requests()) == 2


@pytest.mark.parametrize("fault", [{"kind": "noIdentity"}, {"kind": "garbage"}, {"kind": "status", "status": 404}])
def test_whatever_fails_is_no_token(endpoint: EmulatedIdentity, fault: dict[str, object]) -> None:
    """Also a bare ValueError (docs/graph-facts.md#f26); once mended, a token comes."""
    identity = ManagedIdentity(scope=SCOPE, client_id=None)
    endpoint.fault(str(fault.pop("kind")), count=1, **fault)

    with pytest.raises(IdentityUnavailable):
        identity.token()

    assert identity.token()


def test_after_repeated_failure_the_credential_is_made_anew(endpoint: EmulatedIdentity) -> None:
    """A long-lived one may hold a stale secret (docs/graph-facts.md#f29)."""
    made = []

    class Broken:
        def __init__(self) -> None:
            made.append(self)

        def get_token(self, *_: object, **__: object) -> object:
            raise ValueError("not JSON")

    identity = ManagedIdentity(scope=SCOPE, client_id=None, new_credential=Broken)  # type: ignore[arg-type]
    for _ in range(FAILURES_TO_REBUILD):
        with pytest.raises(IdentityUnavailable):
            identity.token()

    assert len(made) == 2
    assert not endpoint.requests()
