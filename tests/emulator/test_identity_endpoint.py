"""The emulated identity endpoint fails as the real one was seen to fail."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from emulator.identity import HEADER
from emulator.stack import EmulatedIdentity, until
from emulator.tokens import GRAPH_AUDIENCE, claims_of

STORAGE = "https://storage.azure.com"


def ask(identity: EmulatedIdentity, resource: str = GRAPH_AUDIENCE, timeout: float = 10) -> requests.Response:
    """Ask for a token as azure-identity does."""
    return requests.get(
        identity.environment["IDENTITY_ENDPOINT"],
        params={"resource": resource, "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": HEADER, "Metadata": "true"},
        timeout=timeout,
    )


def expiry(answer: requests.Response) -> float:
    """Return when the token itself expires, in seconds since 1970."""
    claims = claims_of(answer.json()["access_token"])
    assert claims is not None
    return float(claims["exp"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_can_ask_to_wait_for_any_time(identity: EmulatedIdentity, status: int) -> None:
    """By ``Retry-After``."""
    identity.fault("status", status=status, retryAfter=300)
    answer = ask(identity)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "300")
    assert ask(identity).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"kind": "noIdentity"}, 400, "No User Assigned or Delegated Managed Identity found for specified"),
        ({"kind": "garbage"}, 200, "<html>"),
        ({"kind": "html"}, 502, "502 Bad Gateway"),
        ({"kind": "status", "status": 400, "code": "invalid_request", "message": "No"}, 400, "invalid_request"),
        ({"kind": "status"}, 500, "unexpected error occured"),
        ({"kind": "status", "status": 200, "body": {"access_token": ""}}, 200, "access_token"),
    ],
)
def test_it_can_answer_no_token(identity: EmulatedIdentity, fault: dict[str, Any], status: int, words: str) -> None:
    """In its own words or in others."""
    identity.fault(**fault)
    answer = ask(identity)
    assert answer.status_code == status
    assert words in answer.text


@pytest.mark.parametrize(
    ("kind", "member"), [("slow", {"delaySeconds": 30}), ("hang", {}), ("raw", {"keepOpen": True})]
)
def test_it_can_be_slow_or_hang(identity: EmulatedIdentity, kind: str, member: dict[str, Any]) -> None:
    """The client's own limit ends the call."""
    identity.fault(kind, **member)
    with pytest.raises(requests.Timeout):
        ask(identity, timeout=0.2)
    assert identity.requests()[0]["fault"] == kind


@pytest.mark.parametrize(("kind", "member"), [("reset", {}), ("raw", {"text": "no HTTP"}), ("cut", {"status": 200})])
def test_its_connection_can_break(identity: EmulatedIdentity, kind: str, member: dict[str, Any]) -> None:
    """At any point of the answer."""
    identity.fault(kind, **member)
    with pytest.raises(requests.RequestException):
        ask(identity)


def test_the_expiry_can_be_a_date(identity: EmulatedIdentity) -> None:
    """The token's own ``exp`` says the same."""
    identity.fault("dateExpiry")
    answer = ask(identity)
    text = answer.json()["expires_on"]
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d \+00:00", text)
    named = datetime.strptime(text, "%m/%d/%Y %H:%M:%S +00:00").replace(tzinfo=UTC)
    assert named.timestamp() == expiry(answer)


def test_a_token_can_have_expired_or_live_shortly(identity: EmulatedIdentity) -> None:
    """By fault for a call, by configuration for all."""
    identity.fault("expiredToken")
    identity.fault("token", lifetimeSeconds=30, roles=[])
    assert expiry(ask(identity)) < time.time()
    short = ask(identity)
    assert expiry(short) < time.time() + 60
    assert int(short.json()["expires_on"]) == expiry(short)
    assert expiry(ask(identity)) > time.time() + 3000


def test_a_fault_can_be_for_one_resource(identity: EmulatedIdentity) -> None:
    """Graph's tokens fail, those of storage do not."""
    identity.fault("status", count=None, match={"resource": GRAPH_AUDIENCE})
    assert [ask(identity, audience).status_code for audience in (GRAPH_AUDIENCE, STORAGE)] == [500, 200]


def test_it_counts_calls_and_how_many_are_in_progress_at_once(identity: EmulatedIdentity) -> None:
    """Three hang at the same time, then one comes alone."""
    identity.fault("hang", count=3)

    def give_up() -> None:
        with pytest.raises(requests.Timeout):
            ask(identity, timeout=1)

    with ThreadPoolExecutor(3) as pool:
        for call in [pool.submit(give_up) for _ in range(3)]:
            call.result()
    until(lambda: all(call["end"] for call in identity.requests()), 10, "the end of the calls")
    ask(identity)
    assert identity.summary() == {"calls": 4, "byStatus": {"None": 3, "200": 1}, "mostAtOnce": 3}
