"""``docs/api.md`` names every call, and every filter of the list."""

import re
from pathlib import Path

from shared.core.delivery.outcome_filter import FILTERS
from tests.web.routes import routes

API = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text()


def test_every_call_is_documented() -> None:
    """Under its path, with any name of a parameter. ``HEAD`` goes with ``GET``, and a wildcard is no call."""
    rows = [
        (re.findall(r"[A-Z]{3,}", call), re.sub(r"\{[^}]*\}", "{}", path))
        for calls in re.findall(r"^\| (`[^|]*/api/[^|]*) \|", API, re.MULTILINE)
        for call, path in re.findall(r"((?:(?:GET|POST|DELETE|OPTIONS)[`, ]*)+)/api(/[^` ]+)", calls)
    ]
    documented = {(method, path) for methods, path in rows for method in methods}
    known = {(method, re.sub(r"\{[^}]*\}", "{}", path)) for method, path, _ in routes() if "{*" not in path}
    assert {call for call in known if call[0] != "HEAD"} == documented


def test_every_filter_is_documented() -> None:
    """In the row of the list."""
    row = next(line for line in API.splitlines() if line.startswith("| `GET /api/updates` |"))
    assert [name for name in FILTERS if f"`{name}`" not in row] == []
