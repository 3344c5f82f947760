"""docs/operations.md has a paragraph for every alert and every error code, with the alerts' own queries."""

import re

import pytest

from tests.infra.bicep import INFRA, ROOT

OPERATIONS = ROOT / "docs/operations.md"
#: The documented, and the one that only a batch tells.
CODES = (
    "invalidMessage", "graphRejected", "operationNotSupported", "deadlineExceeded", "poisoned",
    "idempotencyKeyConflict",
    "userStatusNotFound", "userStatusAmbiguous", "identityUnavailable", "graphUnavailable", "throttled",
    "notAuthorized",
    "storageUnavailable",
)  # fmt: skip
ALERTS = INFRA / "modules/alerts.bicep"
RULES = re.findall(r"^ {4}name: '([a-z-]+)'$", ALERTS.read_text(), re.MULTILINE)


def sections() -> dict[str, str]:
    """Paragraphs by their heading of the third level."""
    parts = re.split(r"^### (.+)$", OPERATIONS.read_text(), flags=re.MULTILINE)[1:]
    return {name.strip("` "): re.split(r"^## ", body, flags=re.MULTILINE)[0]
            for name, body in zip(parts[::2], parts[1::2], strict=True)}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_has_its_paragraph(code: str) -> None:
    """What it means, how to see it, what to do."""
    body = sections()[code]
    for word in ("**Means**", "**See**", "**Do**"):
        assert word in body, (code, word)


@pytest.mark.parametrize("alert", [*RULES, "readiness"])
def test_every_alert_has_its_paragraph(alert: str) -> None:
    """With the same three."""
    body = sections()[f"Alert: {alert}"]
    for word in ("**Means**", "**See**", "**Do**"):
        assert word in body, (alert, word)


@pytest.mark.parametrize("rule", RULES)
def test_an_alert_is_its_file_and_the_query_in_the_docs(rule: str) -> None:
    """What an operator pastes is what fired."""
    query = (INFRA / f"alerts/{rule}.kql").read_text()
    assert f"loadTextContent('../alerts/{rule}.kql')" in ALERTS.read_text()
    assert query in sections()[f"Alert: {rule}"]
    assert "value = " in query


def test_every_query_is_an_alert() -> None:
    """No file is left over; there are at least the six that were asked for."""
    assert {one.stem for one in (INFRA / "alerts").iterdir()} == set(RULES)
    assert {"oldest-waiting", "failure-rate", "poison", "throttled", "identity"} <= set(RULES)


def test_every_code_that_the_app_uses_is_known() -> None:
    """A new code needs its paragraph."""
    code = "\n".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
    used = set(re.findall(r'error_object\(\s*"(\w+)"', code))
    assert used
    assert used <= set(CODES)


def test_queries_look_for_what_the_app_writes() -> None:
    """Metrics and log lines by the names in the code."""
    code = "\n".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
    for path in (INFRA / "alerts").iterdir():
        query = path.read_text()
        names = re.findall(r'name == "([^"]+)"', query) + re.findall(r'message == "([^"]+)"', query)
        names += [one for some in re.findall(r"in \(([^)]+)\)", query) for one in re.findall(r'"([^"]+)"', some)]
        assert [name for name in names if f'"{name}"' not in code] == [], path.name
