"""What ``function_app`` binds, as the host sees it."""

import re

import pytest

from tests.web.routes import bindings, routes

HTTP = sorted((name.upper(), binding) for name, binding in bindings() if binding["type"] == "httpTrigger")


def answering(method: str, path: str) -> str:
    """Return the function that the host calls: the first that fits, by name (docs/graph-facts.md#f73)."""
    for name, binding in HTTP:
        template = re.sub(r"\{\*\w+\}", ".*", binding["route"])
        template = re.sub(r"\{\w+\}", "[^/]+", template)
        if method in binding["methods"] and re.fullmatch(template, path, re.IGNORECASE):
            return name
    raise AssertionError(f"nothing answers {method} {path}")


def test_every_queue_trigger_is_binary() -> None:
    """Else members of a JSON message overwrite the trigger's metadata (docs/graph-facts.md#f90)."""
    types = {name: binding.get("dataType") for name, binding in bindings() if binding["type"] == "queueTrigger"}
    assert len(types) >= 2
    assert set(types.values()) == {"BINARY"}


@pytest.mark.parametrize("name", [name for name, _ in HTTP])
def test_no_route_hides_another(name: str) -> None:
    """The host knows no precedence of literals, and takes routes in the order of the functions' names."""
    binding = dict(HTTP)[name]
    path = re.sub(r"\{\*?\w+\}", "anything", binding["route"])
    for method in binding["methods"]:
        assert answering(method, path) == name


def test_the_catch_all_comes_last_and_takes_what_nothing_else_does() -> None:
    """Its name sorts last; it sees methods of known paths that no function takes."""
    assert HTTP[-1][1]["route"] == "{*path}"
    assert answering("PUT", "updates") == answering("GET", "nothing/at/all") == HTTP[-1][0]


def test_head_works_where_get_does() -> None:
    """Load balancers probe with it."""
    by_path: dict[str, set[str]] = {}
    for method, path, _ in routes():
        by_path.setdefault(path, set()).add(method)
    assert all("HEAD" in methods for methods in by_path.values() if "GET" in methods)


def test_no_route_begins_as_the_hosts_own_do() -> None:
    """It would be refused (docs/graph-facts.md#f86)."""
    assert not [path for _, path, _ in routes() if re.match(r"/(admin|runtime)", path, re.IGNORECASE)]
