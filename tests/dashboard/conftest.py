"""Chromium, and the whole app behind the dashboard."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from emulator.host import FUNCTION_KEY
from emulator.stack import ROOT, Host, Stack, stack, started
from tests.end_to_end.relay import QUICK

KEY = "the-right-key"
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or Playwright's own."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(found).exists() and not os.environ.get("CI"):
            pytest.skip("no Chromium here: apt-get install chromium, or .venv/bin/playwright install chromium")
        running = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def relay(browser: Browser) -> Iterator[Stack]:
    """One host for all, started only where there is a browser."""
    with stack(**QUICK) as parts:
        yield parts


@pytest.fixture(scope="module")
def locked(relay: Stack) -> Iterator[Host]:
    """The same relay through a host that asks for its function key, as in Azure."""
    with started(Host(ROOT, relay.environment() | {FUNCTION_KEY: KEY})) as host:
        yield host


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 1000})
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext, relay: Stack) -> Iterator[Page]:
    """A tab; a script's error or a breach of the policy fails the test."""
    relay.graph.mend()
    wrong: list[str] = []
    tab = context.new_page()
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    tab.on("dialog", lambda dialog: wrong.append(dialog.message))
    yield tab
    assert wrong == []
