"""The scripts of infra/, run with a stand-in for the Azure CLI."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA

PRINCIPAL = "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"
AZ = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in
  *"cloud show"*) echo https://graph.microsoft.com/ ;;
  *appRoleAssignments*) echo "$GRANTED" ;;
  *appRoleAssignedTo*) exit "$POST" ;;
  *) echo graph-id ;;
esac
"""


def grant(folder: Path, *arguments: str, granted: str = "0", post: str = "0") -> tuple[int, str, str]:
    """Exit code, output, and the calls of az."""
    az, log = folder / "az", folder / "log"
    az.write_text(AZ)
    az.chmod(0o755)
    log.touch()
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "LOG": str(log), "GRANTED": granted, "POST": post}
    done = subprocess.run(
        ["bash", str(INFRA / "scripts/grant-graph-permission.sh"), *arguments],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout, log.read_text()


def test_the_permission_is_granted_once(tmp_path: Path) -> None:
    """One POST with principal, resource and role."""
    code, output, calls = grant(tmp_path, PRINCIPAL)
    assert (code, output.startswith("granted;")) == (0, True)
    post = next(line for line in calls.splitlines() if "post" in line)
    assert "https://graph.microsoft.com/v1.0/servicePrincipals/graph-id/appRoleAssignedTo" in post
    assert f'"principalId": "{PRINCIPAL}"' in post
    assert '"resourceId": "graph-id"' in post


def test_a_second_time_does_nothing(tmp_path: Path) -> None:
    """It asks first."""
    code, output, calls = grant(tmp_path, PRINCIPAL, granted="1")
    assert (code, output) == (0, "granted already\n")
    assert "post" not in calls


def test_a_refusal_is_not_hidden(tmp_path: Path) -> None:
    """Whoever may not grant sees az's error and no "granted"."""
    code, output, _ = grant(tmp_path, PRINCIPAL, post="1")
    assert (code, output) == (1, "")


@pytest.mark.parametrize("arguments", [(), ("me",), ("x; rm -rf /",)])
def test_anything_but_an_object_id_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Before az is called."""
    code, _, calls = grant(tmp_path, *arguments)
    assert (code, calls) == (2, "")


@pytest.mark.parametrize(("granted", "said"), [("true", False), ("false", True), ("", True)])
def test_provisioning_says_what_is_left_to_an_administrator(*, granted: str, said: bool) -> None:
    """Unless the deployment granted the permission."""
    environment = {
        "PATH": os.environ["PATH"], "RELAY_GRAPH_PERMISSION_GRANTED": granted, "RELAY_PRINCIPAL_ID": PRINCIPAL,
    }  # fmt: skip
    done = subprocess.run(
        ["sh", str(INFRA / "scripts/after-provision.sh")], env=environment, capture_output=True, text=True, check=True
    )
    assert (f"grant-graph-permission.sh {PRINCIPAL}" in done.stdout) is said


@pytest.mark.parametrize("script", sorted((INFRA / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_a_script_is_executable_and_parses(script: Path) -> None:
    """Under the shell that its first line names."""
    shell = script.read_text().splitlines()[0].split()[-1]
    assert os.access(script, os.X_OK)
    subprocess.run([shell, "-n", str(script)], check=True)
