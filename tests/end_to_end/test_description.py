"""The running app beside its OpenAPI document, as Schemathesis reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import azurite
from emulator.children import free_ports
from emulator.stack import ROOT, Host, Stack, started
from shared.web.openapi.document import PATHS

pytestmark = pytest.mark.end_to_end
#: The checks that say nothing of this API, with the reason.
_LEFT_OUT = {
    "ignored_auth": "the host of these tests asks for no function key",
    "unsupported_method": "the host answers TRACE itself, with 404, and the app never sees it",
    "positive_data_acceptance": "no schema says that a user status has one of five properties, that a time exists in "
    "the calendar, that a continuation comes from a nextLink, or that the doctor takes both ids or none",
}
_SOURCES = {"collection": {"verify": {"type": "header", "header": "X-Relay-Key", "secrets": ["shared-secret"]}}}


def compare(base_url: str, folder: Path, phases: str) -> None:
    """Fail on a finding of any check of Schemathesis but those of ``_LEFT_OUT``."""
    options = {
        "--checks": "all",
        "--exclude-checks": ",".join(_LEFT_OUT),
        "--max-response-time": "35",
        "--max-examples": "4",
        "--phases": phases,
        "--seed": "1",
        "--header": "X-Relay-Key: shared-secret",
        "--request-timeout": "180",
    }
    schemathesis = str(Path(sys.executable).parent / "schemathesis")
    done = subprocess.run(
        [
            schemathesis,
            "run",
            f"{base_url}/api/openapi.json",
            "--no-color",
            *(word for pair in options.items() for word in pair),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"SCHEMATHESIS_HOOKS": ""},
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    count = sum(method != "options" for methods in PATHS.values() for method in methods)  # it counts no OPTIONS
    assert f"{count} selected / {count} total" in done.stdout


def test_fuzzed_requests_are_answered_as_the_description_says(tmp_path: Path) -> None:
    """Schemathesis's boundary values and random requests through the host, with fakes behind the app's ports."""
    env = {
        "UPDATES_STORAGE": azurite.connection_string(*free_ports(3)),  # nobody listens there
        "WEBHOOK_SOURCES": json.dumps(_SOURCES),
    }
    app = ROOT / "tests" / "end_to_end" / "in_memory_app"
    with started(Host(app, env)) as host:
        compare(host.base_url, tmp_path, "examples,coverage,fuzzing")


def test_the_examples_of_the_description_are_answered_as_it_says(running: Stack, tmp_path: Path) -> None:
    """The same checks with storage and Graph behind the app."""
    compare(running.base_url, tmp_path, "examples")
