"""The running app beside its OpenAPI document; apart from other tests, since what is fuzzed leaves a backlog."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.stack import Stack
from shared.web.openapi.document import PATHS

pytestmark = pytest.mark.end_to_end
#: The checks that say nothing of this API, with the reason.
_LEFT_OUT = {
    "ignored_auth": "the host of these tests asks for no function key",
    "unsupported_method": "the host answers TRACE itself, with 404, and the app never sees it",
    "positive_data_acceptance": "no schema says that a user status has one of five properties, that a time exists in "
    "the calendar, that a continuation comes from a nextLink, or that the doctor takes both ids or none",
}


def test_the_api_keeps_to_its_own_description(running: Stack, tmp_path: Path) -> None:
    """Schemathesis with all of its checks but those of ``_LEFT_OUT``."""
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"{running.base_url}/api/openapi.json",
            "--checks",
            "all",
            "--exclude-checks",
            ",".join(_LEFT_OUT),
            "--max-response-time",
            "35",
            "--max-examples",
            "4",
            "--phases",
            "examples,coverage,fuzzing",
            "--no-color",
            "--seed",
            "1",
            "--header",
            "X-Relay-Key: shared-secret",
            "--request-timeout",
            "180",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"SCHEMATHESIS_HOOKS": ""},
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    count = sum(method != "options" for methods in PATHS.values() for method in methods)  # it counts no OPTIONS
    assert f"{count} selected / {count} total" in done.stdout
