# azd runs this after provisioning: says what an administrator must run, unless the deployment granted it.
if ($env:RELAY_GRAPH_PERMISSION_GRANTED -eq 'true') { exit 0 }
@"
The relay has its identity, but this deployment did not grant it the Graph permission
DeviceManagementConfiguration.ReadWrite.All; until it has it, updates wait. An administrator of the tenant
(Privileged Role Administrator or Global Administrator) runs once,
after Connect-MgGraph -Scopes AppRoleAssignment.ReadWrite.All, Application.Read.All:

  infra/scripts/grant-graph-permission.ps1 -PrincipalId $env:RELAY_PRINCIPAL_ID
"@
