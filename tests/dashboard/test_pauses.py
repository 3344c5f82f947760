"""Pauses on the dashboard: seen, explained, resumed and canceled with a confirmation that names the number."""

import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from emulator.stack import Stack
from tests.dashboard.test_dashboard import an_update, dashboard
from tests.end_to_end.relay import final


def paused(relay: Stack, name: str) -> tuple[str, dict[str, Any]]:
    """Pause a source of that name, and hand over an update of it; the pause's id and the update."""
    body = {"reason": "The sender has a bug", "scope": {"source": name}}
    response = requests.post(f"{relay.base_url}/api/pauses", json=body, timeout=30)
    assert response.status_code == 201, response.text
    return response.json()["id"], an_update(relay, name, source=name)


@pytest.mark.parametrize(
    ("button", "confirm", "status"), [("Resume…", "Send", "succeeded"), ("Cancel", "Cancel", "canceled")]
)
def test_a_pause_is_seen_and_ended(page: Page, relay: Stack, button: str, confirm: str, status: str) -> None:
    """Who paused what, why and how many updates are held; nothing happens before the confirmation."""
    _, update = paused(relay, f"dashboard-{status}")
    page.goto(dashboard(relay))
    pause = page.locator("#pause-list li").filter(has_text=f"dashboard-{status}")
    expect(pause).to_contain_text("The sender has a bug")
    expect(pause).to_contain_text("1 update is held")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("1 update is held"))
    pause.get_by_role("button", name=button).click()
    page.get_by_role("button", name=f"{confirm} 1 held update").click()
    assert final(relay.base_url, update["id"])["status"] == status
    expect(page.locator("#pauses")).to_be_hidden()
