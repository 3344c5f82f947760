"""The app's HTTP routes as the host indexes them, from a process of its own: importing the app reads settings."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

_LIST = """
import json, function_app
found = []
for function in function_app.app.get_functions():
    for binding in json.loads(function.get_function_json())["bindings"]:
        if binding["type"] == "httpTrigger":
            for method in binding["methods"]:
                found.append((method, "/" + binding["route"], binding["authLevel"].lower()))
print(json.dumps(found))
"""


@cache
def routes() -> list[tuple[str, str, str]]:
    """Method, path and authorization level."""
    env = os.environ | {"UPDATES_STORAGE": "UseDevelopmentStorage=true"}
    root = Path(__file__).parent.parent.parent
    printed = subprocess.run([sys.executable, "-c", _LIST], cwd=root, env=env, capture_output=True, check=True).stdout
    return [(str(method), path, level) for method, path, level in json.loads(printed)]
