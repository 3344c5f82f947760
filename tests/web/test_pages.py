"""The dashboard's files as they are served; tests/dashboard looks at them in a browser."""

import re
from pathlib import Path

import azure.functions as func
import pytest

from shared.core.delivery.outcome_filter import FILTERS
from shared.core.delivery.resource import ERROR_CODES
from shared.core.intake.limits import MAX_REPLAYS
from shared.web.dashboard_files import FILES, FOLDER
from tests.web.caller import BASE, problem, request
from tests.world import World

ROOT = Path(__file__).parent.parent.parent
URL = f"{BASE}/api/dashboard"


def page(world: World, **headers: str) -> func.HttpResponse:
    """The page."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return world.relay.dashboard.get_dashboard(request("GET", url=URL, headers=named))


def file(world: World, name: str) -> func.HttpResponse:
    """One of its files."""
    return world.relay.dashboard.get_dashboard_file(request("GET", url=f"{URL}/{name}", route_params={"file": name}))


def test_the_page_may_run_its_own_modules_and_nothing_else(world: World) -> None:
    """A strict policy, and nothing inline that would need a weaker one."""
    response = page(world)
    policy = response.headers["Content-Security-Policy"]
    text = response.get_body().decode()
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert not re.search(r"<style|style=|\son\w+=|<script(?! type=\"module\" src=)|https?://", text)


def test_every_file_is_there_and_every_one_that_is_there_is_served(world: World) -> None:
    """The table and the folder are the same."""
    assert set(FILES) == {path.name for path in FOLDER.iterdir()}
    for name, media_type in FILES.items():
        response = file(world, name)
        assert (response.status_code, response.mimetype) == (200, media_type)
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["nothing.js", "../pages.py", "..%2fpages.py", "", "INDEX.HTML", "style.css/"])
def test_no_other_name_is_ever_opened(world: World, name: str) -> None:
    """404, whatever it looks like."""
    assert problem(file(world, name)) == (404, "notFound")


def test_an_unchanged_file_is_not_sent_again(world: World) -> None:
    """By its tag, also where a gateway weakened it; another tag gets the file."""
    tag = page(world).headers["ETag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        response = page(world, If_None_Match=known)
        assert (response.status_code, response.get_body()) == (304, b"")
        assert response.headers["ETag"] == tag
    assert page(world, If_None_Match='"other"').status_code == 200


def test_a_trailing_slash_leads_back_to_the_page(world: World) -> None:
    """Its relative addresses would lead nowhere under it."""
    response = world.relay.dashboard.get_dashboard(request("GET", url=f"{URL}/"))
    assert (response.status_code, response.headers["Location"]) == (308, "../dashboard")


def test_there_is_advice_for_every_error_code_and_for_no_other() -> None:
    """The codes that an update can show, which hold all that the code gives."""
    known = set(re.findall(r"^  (\w+): \{$", (FOLDER / "advice.js").read_text(), re.MULTILINE))
    assert known == set(ERROR_CODES) - {"expired"}  # for this one the page has general advice only
    code = "".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
    given = set(re.findall(r'(?:error_object|DeliveryError)\(\s*"(\w+)"', code))
    assert len(given) >= 5
    assert given - {"storageUnavailable"} <= known  # that one is an answer of the batch's, never an outcome


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_a_module_of_the_dashboard_is_small_and_makes_no_markup(path: Path) -> None:
    """At most 250 lines, with its promise first; text never becomes markup or code."""
    text = path.read_text()
    assert text.count("\n") <= 250
    assert text.startswith("/**")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|localStorage", text)


def test_the_dashboard_has_the_rules_of_the_api() -> None:
    """Its filters and limits are those that Python states."""
    text = (FOLDER / "rules.js").read_text()
    filters = re.search(r"FILTERS = \[(.*?)\]", text, re.DOTALL)
    assert filters
    assert re.findall(r'"(\w+)"', filters[1]) == list(FILTERS)
    assert re.findall(r"MAX_REPLAYS = (\d+)", text) == [str(MAX_REPLAYS)]


def test_the_dashboard_is_deployed() -> None:
    """Nothing keeps its files out of the package."""
    ignored = {line.strip("/") for line in (ROOT / ".funcignore").read_text().splitlines()}
    assert not ignored & {"shared", "web", "dashboard", "*.js", "*.css", "*.html", "*.svg"}
