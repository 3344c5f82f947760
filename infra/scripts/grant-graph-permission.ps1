# Grants the relay's identity its Graph permission, DeviceManagementConfiguration.ReadWrite.All; twice does no harm.
# Sign in first (Connect-MgGraph) as Privileged Role Administrator or Global Administrator of the tenant.
# Needs the modules Microsoft.Graph.Authentication and Microsoft.Graph.Applications.
# Entra may not know a new identity for some minutes: -RetrySeconds between -Tries.
param(
    [Parameter(Mandatory)]
    [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')]
    [string] $PrincipalId,
    [int] $Tries = 12,
    [int] $RetrySeconds = 10
)
$ErrorActionPreference = 'Stop'

$role = '9241abd9-d0e6-425a-bd4f-47ba86e767a4'
$graph = Get-MgServicePrincipal -Filter "appId eq '00000003-0000-0000-c000-000000000000'"
foreach ($try in 1..$Tries) {
    try {
        $granted = Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $PrincipalId -All |
            Where-Object { $_.AppRoleId -eq $role -and $_.ResourceId -eq $graph.Id }
        break
    } catch {
        if ("$($_.FullyQualifiedErrorId) $_" -notmatch 'ResourceNotFound' -or $try -eq $Tries) { throw }
        Write-Warning 'Entra does not know the identity yet: trying again'
        Start-Sleep $RetrySeconds
    }
}
if ($granted) {
    'granted already'
    return
}
New-MgServicePrincipalAppRoleAssignedTo -ServicePrincipalId $graph.Id -PrincipalId $PrincipalId -ResourceId $graph.Id -AppRoleId $role | Out-Null
'granted; tokens that are cached may lack it for up to a day'
