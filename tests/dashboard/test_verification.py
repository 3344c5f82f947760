"""What the dashboard says of values that Graph did not show any more."""

from dataclasses import replace
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from emulator.stack import Stack
from shared.core.delivery.verification import Verification, VerificationState
from shared.settings import Settings
from shared.wiring.services import Services
from tests.dashboard.test_dashboard import an_update, dashboard
from tests.end_to_end.relay import final


def test_it_says_what_intune_recalculated(page: Page, relay: Stack) -> None:
    """In one sentence for all, and on the update itself; without verdicts there is no card."""
    update = final(relay.base_url, an_update(relay, "Isaiah Langer")["id"])
    page.goto(dashboard(relay))
    expect(page.locator(".tile.succeeded .count")).to_be_visible()
    expect(page.locator("#verification")).to_be_hidden()

    sweep = Services(Settings.from_environ(relay.environment()))
    stored = sweep.ports.outcomes.get(update["id"])
    assert stored is not None
    verdict = Verification(VerificationState.OVERWRITTEN, datetime.now(UTC))
    sweep.ports.outcomes.replace(replace(stored.outcome, verification=verdict), stored.etag)
    for state, count in zip(VerificationState, (28, 12, 1), strict=True):
        for _ in range(count):
            sweep.counters.verified(state)
    sweep.counters.flush()

    sentence = "Intune recalculated 12 of 40 values in the last 24 hours. 1 could not be verified."
    expect(page.locator("#verification-text")).to_have_text(sentence)
    page.goto(dashboard(relay, f"update={update['id']}"))
    expect(page.locator(".verification")).to_contain_text("Intune has recalculated them")
