"""The pages of ``docs/senders`` say what a sender must know; what they show as JSON is JSON."""

import json
import re
from pathlib import Path

import pytest

from emulator.stack import ROOT
from shared.core.delivery.resource import ERROR_CODES
from shared.core.intake.update import Update, parse_update

PAGES = sorted(path for path in (ROOT / "docs" / "senders").glob("*.md") if path.stem != "README")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_says_all_that_a_sender_must_know(page: Path) -> None:
    """Key, size, time to live, outcome, and what follows a failure; what was not run is said."""
    text = page.read_text()
    for needed in ("Idempotency-Key", "idempotencyKey", "48", "wait=20", "README.md#after-failed", "-1"):
        assert needed in text, needed
    assert re.search(r"\brun\b|\bran\b|not run", text)
    assert page.name in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_what_looks_like_json_is_json(page: Path) -> None:
    """Messages are valid ones, too."""
    for text in re.findall(r"(?ms)^```json\n(.*?)^```", page.read_text()):
        document = json.loads(text)
        if "deviceCompliancePolicyId" in document:
            assert isinstance(parse_update(document), Update)


def test_there_is_something_to_do_about_every_final_error_code() -> None:
    """Those that docs/api.md documents, which are all that an update can show."""
    documented = re.findall(r"^\| `(\w+)` \| (yes|waits) \|", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert tuple(code for code, _ in documented) == ERROR_CODES
    table = (ROOT / "docs" / "senders" / "README.md").read_text().partition("## After failed")[2]
    assert [code for code, final in documented if final == "yes" and f"`{code}`" not in table] == []
