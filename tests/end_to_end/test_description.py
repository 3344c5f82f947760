"""The running app beside its OpenAPI document; apart from other tests, since what is fuzzed leaves a backlog."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.stack import Stack
from shared.web.openapi.document import PATHS

pytestmark = pytest.mark.end_to_end


def test_the_api_keeps_to_its_own_description(running: Stack, tmp_path: Path) -> None:
    """Schemathesis: no 500, no undocumented answer, header or shape."""
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
        "response_headers_conformance"
    )
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"{running.base_url}/api/openapi.json",
            "--checks",
            checks,
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
