"""The app's routes under the host's rule: the first match in the order of the functions' names answers."""

import json
import os
import re
import subprocess
import sys
from functools import cache

from emulator.http_routes import Route, reserved, routes
from emulator.runtime import Function
from emulator.stack import ROOT

_LIST = """
import json, function_app
for function in function_app.app.get_functions():
    print(json.dumps([function.get_function_name(), json.loads(function.get_function_json())["bindings"]]))
"""


@cache
def app_routes() -> list[Route]:
    """In the host's order; read in a process of its own, for importing the app reads settings."""
    env = os.environ | {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}
    printed = subprocess.run([sys.executable, "-c", _LIST], cwd=ROOT, env=env, capture_output=True, check=True).stdout
    found = [json.loads(line) for line in printed.splitlines()]
    triggers = [(name, binding) for name, bindings in found for binding in bindings]
    http = [Function(name, name, binding) for name, binding in triggers if binding["type"] == "httpTrigger"]
    assert len(http) > 15
    assert not any(map(reserved, http))
    return routes(http, "api")


def test_no_route_hides_another() -> None:
    """A request that is made for a function is that function's, catch-all and templates notwithstanding."""
    for route in app_routes():
        template = str(route.function.trigger["route"])
        path = "/api/" + re.sub(r"\{\*?\w+\}", "0b1c", template)
        for method in route.methods:
            first = next(route for route in app_routes() if route.match(method, path) is not None)
            assert first.function.name == route.function.name, (method, path)


def test_the_catch_all_sorts_last() -> None:
    """Whatever comes after it would get no request."""
    catch_alls = [route for route in app_routes() if "{*" in str(route.function.trigger["route"])]
    assert catch_alls == app_routes()[-1:]
