"""docs/operations.md has a paragraph for every alert and every error code, with the alerts' own queries."""

import re

import pytest

from shared.core.delivery.resource import ERROR_CODES
from tests.infra.queries import alerts
from tests.infra.snapshots import ROOT, load

OPERATIONS = ROOT / "docs/operations.md"
#: Every code of an update's error, and the one of a batch's answer alone.
CODES = (*ERROR_CODES, "storageUnavailable")
PREFIX = re.compile(r"^relay-[a-z0-9]{13}-")
#: Every alert, by its name in Azure without the prefix.
ALERTS = sorted(
    {
        PREFIX.sub("", alert["name"])
        for alert in load("everything")
        if alert["type"] in ("Microsoft.Insights/scheduledQueryRules", "Microsoft.Insights/metricAlerts")
    }
)


def sections() -> dict[str, str]:
    """Paragraphs by their heading of the third level."""
    parts = re.split(r"^### (.+)$", OPERATIONS.read_text(), flags=re.MULTILINE)[1:]
    return {
        name.strip("` "): re.split(r"^## ", body, flags=re.MULTILINE)[0]
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_has_its_paragraph(code: str) -> None:
    """What it means, how to see it, what to do."""
    body = sections()[code]
    for word in ("**Means**", "**See**", "**Do**"):
        assert word in body, (code, word)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_its_paragraph(alert: str) -> None:
    """With the same three."""
    body = sections()[f"Alert: {alert}"]
    for word in ("**Means**", "**See**", "**Do**"):
        assert word in body, (alert, word)


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_is_its_file_and_the_query_in_the_docs(rule: str) -> None:
    """What an operator pastes is what fired."""
    assert rule in ALERTS
    assert alerts()[rule] in sections()[f"Alert: {rule}"]
    assert "value = " in alerts()[rule]


def test_the_alerts_that_were_asked_for_are_there() -> None:
    """Those of the issue, and those of Event Grid."""
    assert {
        "oldest-waiting",
        "failure-rate",
        "poison",
        "throttled",
        "identity",
        "silent",
        "brake",
        "daily-cap",
        "readiness",
        "event-dropped",
        "event-dead-lettered",
        "event-delivery-failed",
    } == set(ALERTS)


def test_every_code_that_the_app_uses_is_known() -> None:
    """A new code needs its paragraph."""
    code = "\n".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
    used = set(re.findall(r'error_object\(\s*"(\w+)"', code))
    assert used
    assert used <= set(CODES)
