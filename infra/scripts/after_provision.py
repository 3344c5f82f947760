"""azd runs this after provisioning: it says what an administrator must still do, and checks the app registration."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping

GRANT = """\
The relay has its identity. Updates wait until that identity has the Graph permission
DeviceManagementConfiguration.ReadWrite.All. A Privileged Role Administrator or Global Administrator of the
tenant grants it once, signed in with az login:

  infra/scripts/grant-graph-permission.sh {principal}

or in PowerShell, after Connect-MgGraph -Scopes AppRoleAssignment.ReadWrite.All, Application.Read.All:

  infra/scripts/grant-graph-permission.ps1 -PrincipalId {principal}

Where it was granted before, there is nothing to do: docs/deploy.md."""
VERSION = """\
The app registration {client} issues version {version} tokens, and App Service authentication
takes version 2 alone: callers get 401. Deploy infra/entra/app-registration.bicep, or set it by hand:

  az rest --method patch --url https://graph.microsoft.com/v1.0/applications(appId='{client}') \\
    --body '{{"api": {{"requestedAccessTokenVersion": 2}}}}'"""


def token_version(client: str) -> int | None:
    """Return the version of the tokens that a registration issues; None where the Azure CLI cannot say."""
    command = shutil.which("az")
    if command is None:
        return None
    done = subprocess.run(
        [command, "ad", "app", "show", "--id", client, "--query", "{version: api.requestedAccessTokenVersion}"],
        capture_output=True,
        text=True,
    )
    return int(json.loads(done.stdout)["version"] or 1) if done.returncode == 0 else None


def advice(environment: Mapping[str, str]) -> list[str]:
    """Return what is left to do."""
    found = [GRANT.format(principal=environment.get("RELAY_PRINCIPAL_ID", "PRINCIPAL_ID"))]
    client = environment.get("AUTH_CLIENT_ID", "")
    if client and (version := token_version(client)) not in (None, 2):
        found.append(VERSION.format(client=client, version=version))
    return found


if __name__ == "__main__":
    print(*advice(os.environ), sep="\n\n")
