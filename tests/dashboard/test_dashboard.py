"""What an operator does with the dashboard, in a real browser over the whole app."""

import re
import uuid
from typing import Any

import requests
from playwright.sync_api import BrowserContext, Page, Route, expect

from emulator.stack import Host, Stack
from tests.dashboard.conftest import KEY
from tests.end_to_end.relay import final, post


def an_update(relay: Stack, name: str, **changes: Any) -> dict[str, Any]:
    """An update about a user of that name."""
    return post(relay.base_url, userStatus={"userDisplayName": name, "status": "compliant"}, **changes)


def a_failed_one(relay: Stack, name: str, **changes: Any) -> dict[str, Any]:
    """One that Graph refused, once; the fault is meant for nobody else."""
    user = str(uuid.uuid4())
    fault = {"status": 400, "code": "BadRequest", "message": "The value is not taken."}
    relay.graph.fault("status", match={"userStatusId": user}, **fault)
    update = an_update(relay, name, deviceComplianceUserStatusId=user, **changes)
    assert final(relay.base_url, update["id"])["status"] == "failed"
    return update


def dashboard(relay: Stack | Host, view: str = "") -> str:
    """Its address."""
    return f"{relay.base_url}/api/dashboard#{view}"


def test_it_shows_how_the_relay_is_and_what_comes_in_without_reloading(page: Page, relay: Stack) -> None:
    """A sentence, counts, the list; a new update appears by itself."""
    final(relay.base_url, an_update(relay, "Adele Vance")["id"])
    page.goto(dashboard(relay))
    expect(page.get_by_role("heading", level=1)).not_to_have_text("One moment…")
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator(".tile.succeeded .count")).to_have_text(re.compile(r"[1-9]"))
    expect(page.get_by_role("meter", name="Quota in use")).to_have_attribute(
        "aria-valuetext", re.compile("of 100 writes")
    )
    expect(page.get_by_role("img", name=re.compile("deliver"))).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Adele Vance")
    expect(row).to_contain_text("Delivered")
    an_update(relay, "Lee Gu")
    expect(page.get_by_role("link", name="Lee Gu")).to_be_visible()


def test_it_names_a_webhook_source_whose_requests_are_refused(page: Page, relay: Stack) -> None:
    """In one sentence, with the reason; before, a refusal left no trace."""
    refused = requests.post(f"{relay.base_url}/api/webhooks/nobody", json={}, timeout=30)
    assert refused.status_code == 401
    page.goto(dashboard(relay))
    sentence = "Unknown sources: 1 of the last 1 requests was refused, the last at"
    expect(page.locator("#webhook-refusals")).to_contain_text(sentence)
    expect(page.locator("#webhook-refusals")).to_contain_text("no source of that name is configured")


def test_filters_narrow_the_list_and_stand_in_the_address(page: Page, relay: Stack) -> None:
    """So that a view can be shared; a refresh keeps them and the focus."""
    a_failed_one(relay, "Joni Sherman", source="narrow")
    final(relay.base_url, an_update(relay, "Megan Bowen", source="narrow")["id"])
    page.goto(dashboard(relay))
    page.get_by_role("combobox", name="Status").select_option("Failed")
    page.get_by_label("Source").fill("narrow")
    page.get_by_label("Source").press("Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#rows tr")).to_contain_text("Joni Sherman")
    assert "status=failed" in page.url
    assert "source=narrow" in page.url
    with page.expect_response("**/api/updates?*"):
        pass
    expect(page.get_by_label("Source")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Source")).to_have_value("narrow")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("link", name="Megan Bowen")).to_be_visible()


def test_a_failure_is_seen_understood_mended_and_replayed(page: Page, relay: Stack) -> None:
    """Its reason in plain words, Graph's own, what to do; the replay succeeds before one's eyes."""
    update = a_failed_one(relay, "Debra Berger")
    page.goto(dashboard(relay))
    expect(page.locator("#reasons")).to_contain_text("Graph refused it")
    page.get_by_role("link", name="Debra Berger").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_role("heading", name="Graph refused it")).to_be_visible()
    expect(page.get_by_text("The value is not taken.")).to_be_visible()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Graph answered 400")).to_be_visible()
    expect(page.locator(".ids")).to_contain_text(update["id"])
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("#update .badge")).to_have_text("Delivered")
    expect(page.get_by_text("Graph answered 200")).to_be_visible()
    page.get_by_role("link", name="This is a replay of an earlier update").click()
    expect(page.get_by_role("link", name="It was replayed: see the new update")).to_be_visible()
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)


def test_support_ids_are_copied(page: Page, context: BrowserContext, relay: Stack) -> None:
    """All at once, as text."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=relay.base_url)
    update = a_failed_one(relay, "Emily Braun")
    page.goto(dashboard(relay, f"update={update['id']}"))
    page.get_by_role("button", name="Copy all for support").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"Update id: {update['id']}" in copied
    assert "Client request id: " in copied


def test_a_replay_by_filter_asks_first_how_many_it_would_be(page: Page, relay: Stack) -> None:
    """The count, then the button; nobody is replayed before it."""
    for n in range(3):
        a_failed_one(relay, f"Several {n}", source="several")
    page.goto(dashboard(relay, "source=several&status=failed"))
    expect(page.locator("#rows tr")).to_have_count(3)
    page.get_by_role("button", name="Replay what matches…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 failed or canceled updates can be replayed")
    dialog.get_by_role("button", name="Replay 3 updates").click()
    expect(dialog).to_contain_text("Replayed 3 updates.")
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Replay what matches…")).to_be_focused()
    expect(page.locator("#rows tr").filter(has_text="replayed")).to_have_count(3)


def test_a_waiting_update_is_canceled_once_the_operator_says_so(page: Page, relay: Stack) -> None:
    """Not before."""
    user = str(uuid.uuid4())
    relay.graph.fault("status", status=423, retryAfter="600", match={"userStatusId": user})
    update = an_update(relay, "Ben Walters", deviceComplianceUserStatusId=user)
    page.goto(dashboard(relay, f"update={update['id']}"))
    page.get_by_role("button", name="Cancel this update").click()
    page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    expect(page.locator("#update .badge")).not_to_have_text("Canceled")
    page.get_by_role("button", name="Cancel this update").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(page.locator("#update .badge")).to_have_text("Canceled")


def test_what_others_wrote_is_text_never_markup(page: Page, relay: Stack) -> None:
    """In the list and on the update's page."""
    hostile = "<img src=x onerror=alert(1)><b>bold</b>\u202eDLOB"
    update = an_update(relay, hostile, source="hostile")
    page.goto(dashboard(relay, "source=hostile"))
    expect(page.get_by_role("link", name=hostile)).to_be_visible()
    page.goto(dashboard(relay, f"update={update['id']}"))
    expect(page.get_by_role("heading", level=1)).to_have_text(hostile)
    assert page.locator("main img, main b:text-is('bold')").count() == 0


def test_pages_lead_to_older_updates_and_back(page: Page, relay: Stack) -> None:
    """Each holds a few; the dashboard never asks for all."""
    for n in range(27):
        an_update(relay, f"Paged {n}", source="paged")
    page.goto(dashboard(relay, "source=paged"))
    expect(page.locator("#rows tr")).to_have_count(25)
    page.get_by_role("button", name="Older").click()
    expect(page.locator("#rows tr")).to_have_count(2)
    expect(page.locator("#rows")).to_contain_text("Paged 0")
    page.get_by_role("button", name="Newer").click()
    expect(page.locator("#rows tr")).to_have_count(25)


def test_a_wrong_key_is_asked_for_again_and_a_right_one_kept_for_the_tab(
    page: Page, relay: Stack, locked: Host
) -> None:
    """In Azure the host answers 401 without a body."""
    page.goto(dashboard(locked))
    dialog = page.get_by_role("dialog", name="Function key")
    dialog.get_by_label("Key", exact=True).fill("wrong")
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_contain_text("The relay refuses this key.")
    dialog.get_by_label("Key", exact=True).fill(KEY)
    dialog.get_by_role("button", name="Use this key").click()
    expect(page.locator("#live")).to_have_text("Live")
    assert KEY not in page.url
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.reload()
    expect(page.locator("#live")).to_have_text("Live")
    page.get_by_role("button", name="Forget the key").click()
    expect(dialog).to_be_visible()


def test_an_api_that_is_down_is_said_and_what_was_seen_stays(page: Page, relay: Stack) -> None:
    """And when it is back, the page is live again."""
    final(relay.base_url, an_update(relay, "Still Here", source="down")["id"])
    page.goto(dashboard(relay, "source=down"))
    expect(page.get_by_role("link", name="Still Here")).to_be_visible()

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/api/stats", refuse)
    expect(page.get_by_role("alert").filter(has_text="The relay does not answer")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Not live")
    expect(page.get_by_role("link", name="Still Here")).to_be_visible()
    page.unroute("**/api/stats")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#banner")).to_be_hidden()


def test_an_update_that_is_not_there_is_said(page: Page, relay: Stack) -> None:
    """Not an outage."""
    page.goto(dashboard(relay, f"update={uuid.uuid4()}"))
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
