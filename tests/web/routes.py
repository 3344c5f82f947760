"""The app's triggers as the host indexes them, from a process of its own: importing the app reads settings."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

_LIST = """
import json, function_app
functions = function_app.app.get_functions()
print(json.dumps([[f.get_function_name(), json.loads(f.get_function_json())["bindings"]] for f in functions]))
"""


@cache
def bindings() -> list[tuple[str, dict[str, Any]]]:
    """Return each function's name and its trigger's binding."""
    env = os.environ | {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}
    root = Path(__file__).parent.parent.parent
    printed = subprocess.run([sys.executable, "-c", _LIST], cwd=root, env=env, capture_output=True, check=True).stdout
    return [
        (str(name), binding)
        for name, every in json.loads(printed)
        for binding in every
        if binding["type"].endswith("Trigger")
    ]


def routes() -> list[tuple[str, str, str]]:
    """Return method, path and authorization level of every HTTP function."""
    return [
        (str(method), "/" + binding["route"], binding["authLevel"].lower())
        for _, binding in bindings()
        if binding["type"] == "httpTrigger"
        for method in binding["methods"]
    ]
