"""App Service authentication as the emulator plays it, in front of the whole app."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emulator import sign_in
from emulator.host import FUNCTION_KEY
from emulator.stack import Stack, stack
from emulator.tokens import issue
from tests.builders import a_message
from tests.web.principals import principal

SECONDS = 30


@pytest.fixture(scope="module")
def relay() -> Iterator[Stack]:
    """Start a relay that asks for roles, in a host that has a function key which nobody sends."""
    with stack(**sign_in.SETTINGS, **{FUNCTION_KEY: "unused"}) as parts:
        yield parts


def ask(relay: Stack, method: str, path: str, *roles: str, token: str = "", **rest: Any) -> requests.Response:
    """Call the relay with a token of these roles, or with this one."""
    if roles or token:
        rest["headers"] = {"Authorization": f"Bearer {token or sign_in.access_token(*roles)}"} | rest.get("headers", {})
    return requests.request(method, f"{relay.base_url}{path}", timeout=SECONDS, allow_redirects=False, **rest)


def signed_in(relay: Stack, *roles: str) -> requests.Session:
    """Return a browser with the cookie that the sign-in page gives."""
    session = requests.Session()
    form = {"name": "grace@contoso.example", "role": roles, "then": "/api/dashboard"}
    answer = session.post(f"{relay.base_url}/.auth/login/aad", data=form, timeout=SECONDS, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/dashboard")
    return session


def kind(response: requests.Response) -> tuple[int, str]:
    """Return a problem's status and slug."""
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["type"].rpartition(":")[2]


def test_headers_from_outside_name_nobody(relay: Stack) -> None:
    """The platform takes them away: 401."""
    forged = principal("Updates.Send", "Updates.Read", "Updates.Operate")
    for headers in ({}, forged, {name.lower(): text for name, text in forged.items()}):
        assert kind(ask(relay, "GET", "/api/updates", headers=headers)) == (401, "unauthenticated")
        assert kind(ask(relay, "POST", "/api/updates", json=a_message(), headers=headers)) == (401, "unauthenticated")
    assert kind(ask(relay, "GET", "/api/updates", "Updates.Send", headers=forged)) == (403, "forbidden")


def test_a_token_does_what_its_roles_allow_and_no_function_key_is_asked_for(relay: Stack) -> None:
    """A sender reads its own update; an operator cancels it; the audit names that one."""
    update = ask(relay, "POST", "/api/updates", "Updates.Send", json=a_message(), headers={"Prefer": "wait=10"}).json()
    assert update["submittedBy"] == sign_in.object_id("ada@contoso.example")
    path = f"/api/updates/{update['id']}"
    other = sign_in.access_token("Updates.Send", name="bob@contoso.example")
    assert ask(relay, "GET", path, "Updates.Send").status_code == 200
    assert kind(ask(relay, "GET", path, token=other)) == (403, "forbidden")
    assert kind(ask(relay, "POST", f"{path}/cancel", "Updates.Send", "Updates.Read")) == (403, "forbidden")
    assert ask(relay, "POST", f"{path}/cancel", "Updates.Operate").status_code in (200, 409)
    (record, *_) = ask(relay, "GET", "/api/audit", "Updates.Read").json()["value"]
    assert (record["action"], record["by"], record["target"]) == ("cancel", update["submittedBy"], update["id"])


@pytest.mark.parametrize("role", ["updates.read", "UPDATES.READ", "Updates.Write"])
def test_a_role_in_another_case_is_no_role(relay: Stack, role: str) -> None:
    """403."""
    assert kind(ask(relay, "GET", "/api/updates", role)) == (403, "forbidden")


def test_a_token_that_is_not_valid_comes_to_no_function(relay: Stack) -> None:
    """The platform answers 401 without a body."""
    now = time.time()
    expired = issue("api://compliance-status-relay", ["Updates.Read"], now=now - 90_000, lifetime=60, name="x")
    foreign = issue("https://graph.microsoft.com", ["Updates.Read"], now=now, lifetime=60, name="x")
    for token in ("x", "a.b.c", expired, foreign, sign_in.access_token("Updates.Read") + "x"):
        response = ask(relay, "GET", "/api/updates", token=token)
        assert (response.status_code, response.content) == (401, b"")


def test_a_session_reads_and_changes_nothing_from_another_site(relay: Stack) -> None:
    """A cookie comes along with whatever another site makes the browser send."""
    browser = signed_in(relay, "Updates.Operate")
    url = f"{relay.base_url}/api/updates"
    assert browser.get(url, timeout=SECONDS).status_code == 200
    cancel = f"{url}/0193{'0' * 4}-0000-7000-8000-{'0' * 12}/cancel"
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert kind(browser.post(cancel, headers=headers, timeout=SECONDS)) == (403, "crossSiteRequest")
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"X-Relay-Request": "1"}):
        assert kind(browser.post(cancel, headers=headers, timeout=SECONDS)) == (404, "notFound")


def test_who_is_signed_in_is_known_until_the_sign_out(relay: Stack) -> None:
    """To the platform's own page and to the app."""
    browser = signed_in(relay, "Updates.Read")
    me = browser.get(f"{relay.base_url}/.auth/me", timeout=SECONDS).json()
    assert (me[0]["provider_name"], me[0]["user_id"]) == ("aad", "grace@contoso.example")
    session = browser.get(f"{relay.base_url}/api/session", timeout=SECONDS).json()
    assert (session["signedIn"]["name"], session["signedIn"]["roles"]) == ("grace@contoso.example", ["Updates.Read"])
    browser.get(f"{relay.base_url}/.auth/logout", timeout=SECONDS, allow_redirects=False)
    assert browser.get(f"{relay.base_url}/api/session", timeout=SECONDS).json()["signedIn"] is None
    assert ask(relay, "GET", "/.auth/me").status_code == 401


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example/", "/\\evil.example", "x"])
def test_the_sign_in_leads_to_no_other_host(relay: Stack, then: str) -> None:
    """Whatever the address says."""
    form = {"name": "a", "then": then}
    answer = ask(relay, "POST", "/.auth/login/aad", data=form)
    assert answer.headers["Location"] == "/.auth/me"


def test_what_is_anonymous_stays_so(relay: Stack) -> None:
    """Health, the document, the dashboard's page."""
    for path in ("/api/health/live", "/api/openapi.json", "/api/dashboard", "/api/session"):
        assert ask(relay, "GET", path).status_code == 200
    assert kind(ask(relay, "POST", "/api/webhooks/x", json={})) == (401, "unauthorized")
