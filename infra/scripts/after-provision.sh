#!/usr/bin/env sh
# azd runs this after provisioning: says what an administrator must run, unless the deployment granted it.
set -eu

if [ "${RELAY_GRAPH_PERMISSION_GRANTED:-}" = true ]; then
  exit 0
fi
cat <<TEXT
The relay has its identity, but this deployment did not grant it the Graph permission
DeviceManagementConfiguration.ReadWrite.All; until it has it, updates wait. An administrator of the tenant
(Privileged Role Administrator or Global Administrator) runs once, signed in with az login:

  infra/scripts/grant-graph-permission.sh ${RELAY_PRINCIPAL_ID:-PRINCIPAL_ID}

or, in PowerShell after Connect-MgGraph -Scopes AppRoleAssignment.ReadWrite.All, Application.Read.All:

  infra/scripts/grant-graph-permission.ps1 -PrincipalId ${RELAY_PRINCIPAL_ID:-PRINCIPAL_ID}
TEXT
