"""The scripts of infra/, run with a stand-in for the Azure CLI."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.snapshots import INFRA

PRINCIPAL = "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"
CLIENT, SUBSCRIPTION = "4f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a12", "5f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a13"
SCRIPTS = INFRA / "scripts"
#: Answers by a word of the call; `UNKNOWN` first calls for the identity fail, as for one that Entra does not know yet.
AZ = """#!/bin/bash
echo "$*" >> "$LOG"
case "$*" in
  *"cloud show"*) echo https://graph.microsoft.com/ ;;
  *appRoleAssignments*)
    if (( $(grep -c appRoleAssignments "$LOG") <= UNKNOWN )); then
      echo "$FAULT" >&2
      exit 1
    fi
    echo "$GRANTED" ;;
  *appRoleAssignedTo*) exit "$POST" ;;
  *"credential list"*"[].subject"*) printf '%s\\n' "$SUBJECT_A" "$SUBJECT_B" ;;
  *"credential list"*) printf 'id-a\\t%s\\nid-b\\t%s\\n' "$SUBJECT_A" "$SUBJECT_B" ;;
  *"assignment list"*"Role Based"*) ;;
  *"assignment list"*) echo an-assignment ;;
  *"app show"*) echo "{\\"version\\": $VERSION}" ;;
  *) echo graph-id ;;
esac
"""
DEFAULTS = {
    "GRANTED": "0",
    "POST": "0",
    "UNKNOWN": "0",
    "FAULT": "Not Found: Request_ResourceNotFound",
    "VERSION": "2",
    "SUBJECT_A": "repo:contoso/relay:pull_request",
    "SUBJECT_B": "repo:contoso/relay:ref:refs/heads/main",
    "RETRY_SECONDS": "0",
}


@dataclass(frozen=True)
class Ran:
    """What a script did."""

    code: int
    output: str
    calls: list[str]

    def called(self, *words: str) -> list[str]:
        """Return the calls of az that hold every word."""
        return [call for call in self.calls if all(word in call for word in words)]


def run(folder: Path, command: list[str], **environment: str) -> Ran:
    """Run a command whose `az` is the stand-in."""
    az, log = folder / "az", folder / "log"
    az.write_text(AZ)
    az.chmod(0o755)
    log.write_text("")
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "LOG": str(log)} | DEFAULTS | environment
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    return Ran(done.returncode, done.stdout, log.read_text().splitlines())


def grant(folder: Path, *arguments: str, **environment: str) -> Ran:
    """Run the grant."""
    return run(folder, ["bash", str(SCRIPTS / "grant-graph-permission.sh"), *arguments], **environment)


def test_the_permission_is_granted_once(tmp_path: Path) -> None:
    """One POST with principal, resource and role."""
    ran = grant(tmp_path, PRINCIPAL)
    assert (ran.code, ran.output.startswith("granted;")) == (0, True)
    [post] = ran.called("post")
    assert "https://graph.microsoft.com/v1.0/servicePrincipals/graph-id/appRoleAssignedTo" in post
    assert f'"principalId": "{PRINCIPAL}"' in post
    assert '"resourceId": "graph-id"' in post


def test_a_second_time_does_nothing(tmp_path: Path) -> None:
    """It asks first."""
    ran = grant(tmp_path, PRINCIPAL, GRANTED="1")
    assert (ran.code, ran.output) == (0, "granted already\n")
    assert ran.called("post") == []


def test_an_identity_that_entra_does_not_know_yet_is_tried_again(tmp_path: Path) -> None:
    """A new identity takes minutes to arrive; then it is granted."""
    ran = grant(tmp_path, PRINCIPAL, UNKNOWN="2")
    assert ran.code == 0
    assert len(ran.called("appRoleAssignments")) == 3
    assert len(ran.called("post")) == 1


@pytest.mark.parametrize(("fault", "tries"), [("Request_ResourceNotFound", 3), ("Authorization_RequestDenied", 1)])
def test_it_gives_up_on_an_identity_that_never_comes_and_at_once_on_any_other_fault(
    tmp_path: Path, fault: str, tries: int
) -> None:
    """Nothing is granted."""
    ran = grant(tmp_path, PRINCIPAL, UNKNOWN="99", TRIES="3", FAULT=fault)
    assert (ran.code, ran.output) == (1, "")
    assert (len(ran.called("appRoleAssignments")), ran.called("post")) == (tries, [])


def test_a_refusal_is_not_hidden(tmp_path: Path) -> None:
    """An administrator without the right sees the error of az and no "granted"."""
    ran = grant(tmp_path, PRINCIPAL, POST="1")
    assert (ran.code, ran.output) == (1, "")


@pytest.mark.parametrize("arguments", [(), ("me",), ("x; rm -rf /",)])
def test_anything_but_an_object_id_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Before az is called."""
    ran = grant(tmp_path, *arguments)
    assert (ran.code, ran.calls) == (2, [])


def test_the_pipeline_keeps_one_credential_and_a_role_with_a_condition(tmp_path: Path) -> None:
    """Pull requests and branches can no longer sign in; roles outside the list can no longer be assigned."""
    ran = run(tmp_path, ["bash", str(SCRIPTS / "secure-pipeline.sh"), CLIENT, SUBSCRIPTION, "contoso/relay"])
    assert ran.code == 0
    [created] = ran.called("federated-credential create")
    assert "repo:contoso/relay:environment:azure" in created
    assert len(ran.called("federated-credential delete")) == 2
    [assigned] = ran.called("assignment create", "Role Based Access Control Administrator", "--condition")
    roles = (INFRA / "modules/role-ids.bicep").read_text().count("-") // 4
    assert assigned.count("-4") >= roles  # every role of the list is named, in both halves of the condition
    assert len(ran.called("assignment delete", "User Access Administrator")) == 1


@pytest.mark.parametrize(
    ("client", "version", "warned"), [("", "1", False), (CLIENT, "2", False), (CLIENT, "null", True)]
)
def test_provisioning_says_what_is_left_to_an_administrator(
    tmp_path: Path, client: str, version: str, *, warned: bool
) -> None:
    """The grant; and a registration whose tokens App Service authentication refuses."""
    script = [sys.executable, str(SCRIPTS / "after_provision.py")]
    ran = run(tmp_path, script, RELAY_PRINCIPAL_ID=PRINCIPAL, AUTH_CLIENT_ID=client, VERSION=version)
    assert f"grant-graph-permission.sh {PRINCIPAL}" in ran.output
    assert ("issues version 1 tokens" in ran.output) is warned


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_a_script_is_executable_and_parses(script: Path) -> None:
    """Under the shell that its first line names."""
    shell = script.read_text().splitlines()[0].split()[-1]
    assert os.access(script, os.X_OK)
    subprocess.run([shell, "-n", str(script)], check=True)


def test_parameters_of_json_are_json() -> None:
    """The credential that secure-pipeline.sh makes is one JSON object."""
    source = (SCRIPTS / "secure-pipeline.sh").read_text()
    literal = source.split("--parameters \\\n")[1].split("\n")[0].strip().strip('"').replace('\\"', '"')
    assert json.loads(literal.replace("$environment", "azure").replace("$subject", "s"))["name"] == "github-azure"
