"""The dashboard where Entra answers for callers: signing in, what each role sees and can do, and the audit."""

import json
import re
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from emulator import sign_in
from emulator.stack import ROOT, Host, Stack, started
from tests.builders import a_message

SENDER = "sender@contoso.example"


@pytest.fixture(scope="module")
def entra(relay: Stack) -> Iterator[Host]:
    """Start the same relay behind App Service authentication."""
    with started(Host(ROOT, relay.environment() | sign_in.SETTINGS)) as host:
        yield host


def call(host: Host, method: str, path: str, *roles: str, name: str = SENDER, **rest: Any) -> Any:
    """Call the API as a service with a token; return the answer's JSON."""
    headers = {"Authorization": f"Bearer {sign_in.access_token(*roles, name=name)}"}
    response = requests.request(method, f"{host.base_url}/api/{path}", headers=headers, timeout=30, **rest)
    assert response.ok, response.text
    return response.json()


def waiting(entra: Host, relay: Stack, name: str, sender: str = SENDER) -> dict[str, Any]:
    """Submit an update that Graph puts off, so that it can be canceled."""
    user = str(uuid.uuid4())
    relay.graph.fault("status", status=423, retryAfter="600", match={"userStatusId": user})
    status = {"userDisplayName": name, "status": "compliant"}
    message = a_message(deviceComplianceUserStatusId=user, userStatus=status)
    update: dict[str, Any] = call(entra, "POST", "updates", "Updates.Send", name=sender, json=message)
    return update


def sign_in_as(page: Page, name: str, *roles: str) -> None:
    """Fill in the sign-in page that the dashboard leads to."""
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Name").fill(name)
    for role in roles:
        page.get_by_label(role).check()
    page.get_by_role("button", name="Sign in").click()


def test_a_reader_signs_in_by_itself_sees_everything_and_changes_nothing(page: Page, entra: Host, relay: Stack) -> None:
    """No key is asked for; the view that was asked for comes back after the sign-in."""
    update = waiting(entra, relay, "Adele Vance")
    page.goto(f"{entra.base_url}/api/dashboard#source=&update={update['id']}")
    sign_in_as(page, "reader@contoso.example", "Updates.Read")
    expect(page.get_by_role("heading", level=1, name="Adele Vance")).to_be_visible()
    expect(page.locator("#who")).to_have_text("reader@contoso.example")
    expect(page.get_by_role("button", name="Cancel this update")).to_have_count(0)
    page.get_by_role("link", name="All updates").click()
    expect(page.get_by_role("link", name="Adele Vance")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.get_by_role("button", name="Replay what matches…")).to_be_hidden()
    expect(page.get_by_role("link", name="Audit")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("sessionStorage.getItem('relayFunctionKey')") is None


def test_an_operator_cancels_and_finds_it_in_the_audit(page: Page, entra: Host, relay: Stack) -> None:
    """By its object id, never by its name."""
    update = waiting(entra, relay, "Lee Gu")
    page.goto(f"{entra.base_url}/api/dashboard#update={update['id']}")
    sign_in_as(page, "operator@contoso.example", "Updates.Operate")
    page.get_by_role("button", name="Cancel this update").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(page.locator("#update .badge")).to_have_text("Canceled")
    page.get_by_role("link", name="Audit", exact=True).click()
    row = page.get_by_role("row").filter(has_text=update["id"])
    expect(row).to_contain_text("Cancel")
    expect(row).to_contain_text("Succeeded")
    expect(row).to_contain_text(sign_in.object_id("operator@contoso.example"))
    page.get_by_label("Action").select_option("Erase a person's data")
    expect(page.get_by_text("No record.")).to_be_visible()
    page.get_by_label("Action").select_option("Any")
    with page.expect_download() as exported:
        page.get_by_role("button", name="Export as JSON Lines").click()
    assert re.fullmatch(r"relay-audit-\d{4}-\d\d-\d\d\.jsonl", exported.value.suggested_filename)
    records = [json.loads(line) for line in exported.value.path().read_text().splitlines()]
    mine = [record for record in records if record["target"] == update["id"]]
    assert [record["action"] for record in mine] == ["cancel"]
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1, name="Lee Gu")).to_be_visible()


def test_a_sender_sees_its_own_updates_alone(page: Page, entra: Host, relay: Stack) -> None:
    """It is told which role shows the rest."""
    own, other = waiting(entra, relay, "Own"), waiting(entra, relay, "Other", "other@contoso.example")
    page.goto(f"{entra.base_url}/api/dashboard")
    sign_in_as(page, SENDER, "Updates.Send")
    expect(page.get_by_role("heading", name="You may not see this")).to_be_visible()
    expect(page.get_by_text("ask an administrator for the role Updates.Read")).to_be_visible()
    expect(page.locator("#updates")).to_be_hidden()
    expect(page.get_by_role("link", name="Audit")).to_be_hidden()
    page.goto(f"{entra.base_url}/api/dashboard#update={own['id']}")
    expect(page.get_by_role("heading", level=1, name="Own")).to_be_visible()
    page.goto(f"{entra.base_url}/api/dashboard#update={other['id']}")
    expect(page.get_by_role("heading", level=1, name="Not yours")).to_be_visible()


def test_someone_without_a_role_is_told_so_and_sent_round_in_no_circle(page: Page, entra: Host) -> None:
    """Signed in is signed in."""
    page.goto(f"{entra.base_url}/api/dashboard")
    sign_in_as(page, "nobody@contoso.example")
    expect(page.get_by_text("You have none of this relay's roles.")).to_be_visible()
    expect(page.locator("#who")).to_have_text("nobody@contoso.example")


def test_a_session_that_ends_is_noticed_and_a_click_signs_in_again(
    page: Page, context: BrowserContext, entra: Host
) -> None:
    """What was seen stays until then."""
    page.goto(f"{entra.base_url}/api/dashboard")
    sign_in_as(page, "reader@contoso.example", "Updates.Read")
    expect(page.locator("#live")).to_have_text("Live")
    context.clear_cookies()
    expect(page.get_by_role("alert").filter(has_text="You are not signed in.")).to_be_visible()
    page.get_by_role("button", name="Sign in").click()
    sign_in_as(page, "reader@contoso.example", "Updates.Read")
    expect(page.locator("#live")).to_have_text("Live")
    page.get_by_role("link", name="Sign out").click()
    page.goto(f"{entra.base_url}/api/dashboard")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


class _Evil(BaseHTTPRequestHandler):
    """A page of another origin that sends a form to the relay as soon as it is opened."""

    target = ""

    def do_GET(self) -> None:
        """Answer with the page."""
        page = f'<form method="post" action="{self.target}"></form><script>document.forms[0].submit()</script>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_another_origins_page_cancels_nothing(page: Page, entra: Host, relay: Stack) -> None:
    """The browser sends the operator's cookie along, and the relay refuses it."""
    update = waiting(entra, relay, "Forged")
    page.goto(f"{entra.base_url}/api/dashboard")
    sign_in_as(page, "operator@contoso.example", "Updates.Operate")
    expect(page.locator("#live")).to_have_text("Live")
    evil = type("Evil", (_Evil,), {"target": f"{entra.base_url}/api/updates/{update['id']}/cancel"})
    with ThreadingHTTPServer(("127.0.0.1", 0), evil) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with page.expect_response(re.compile("/cancel$")) as refused:
            page.goto(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
    assert "AppServiceAuthSession" in refused.value.request.all_headers()["cookie"]
    assert refused.value.status == 403
    assert call(entra, "GET", f"updates/{update['id']}", "Updates.Read")["status"] in ("notStarted", "running")
