"""The command over the Bicep CLI, where there is none; what it finds with one is the command's own output."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.snapshots import ROOT, SNAPSHOTS, load

COMMAND = [sys.executable, "-m", "tests.infra.compiler"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a machine without a Bicep CLI."""
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [(), ("check",), ("write",)])
def test_without_a_cli_it_says_so_and_fails_nothing(arguments: tuple[str, ...]) -> None:
    """A developer without Bicep can run everything else."""
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stdout.startswith("bicep: skipped")


def test_scanners_get_each_snapshot_as_one_flat_template(tmp_path: Path) -> None:
    """Every resource, in a file that they take for an ARM template."""
    assert run("arm", str(tmp_path)).returncode == 0
    for name in SNAPSHOTS:
        template = json.loads((tmp_path / f"{name}.json").read_text())
        assert template["$schema"].endswith("deploymentTemplate.json#")
        assert template["resources"] == load(name)


def test_an_unknown_command_is_refused() -> None:
    """With the usage."""
    done = run("compile")
    assert (done.returncode, "arm DIRECTORY" in done.stderr) == (2, True)
