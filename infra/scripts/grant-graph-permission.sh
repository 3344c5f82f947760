#!/usr/bin/env bash
# Grants the relay's identity its Graph permission, DeviceManagementConfiguration.ReadWrite.All; twice does no harm.
# Sign in first (az login) as Privileged Role Administrator or Global Administrator of the tenant.
# Usage: grant-graph-permission.sh PRINCIPAL_ID (default: RELAY_PRINCIPAL_ID, as azd sets it)
# Entra may not know a new identity for some minutes: RETRY_SECONDS (10) between TRIES (12).
set -euo pipefail

principal="${1:-${RELAY_PRINCIPAL_ID:-}}"
role='9241abd9-d0e6-425a-bd4f-47ba86e767a4'
if [[ ! "$principal" =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]]; then
  echo "usage: $0 PRINCIPAL_ID (the object id of the relay's identity)" >&2
  exit 2
fi
command -v az >/dev/null || { echo 'the Azure CLI (az) is needed' >&2; exit 2; }

root="$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)"
root="${root%/}/v1.0"
graph="$(az rest --method get --url "$root/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?\$select=id" \
  --query id --output tsv)"

for ((try = 1; ; try++)); do
  if granted="$(az rest --method get --url "$root/servicePrincipals/$principal/appRoleAssignments" \
    --query "length(value[?appRoleId=='$role' && resourceId=='$graph'])" --output tsv 2>&1)"; then
    break
  fi
  if [[ "$granted" != *ResourceNotFound* ]] || ((try >= ${TRIES:-12})); then
    echo "$granted" >&2
    exit 1
  fi
  echo 'Entra does not know the identity yet: trying again' >&2
  sleep "${RETRY_SECONDS:-10}"
done
if [[ "$granted" != 0 ]]; then
  echo 'granted already'
  exit 0
fi
az rest --method post --url "$root/servicePrincipals/$graph/appRoleAssignedTo" \
  --headers 'Content-Type=application/json' --output none \
  --body "{\"principalId\": \"$principal\", \"resourceId\": \"$graph\", \"appRoleId\": \"$role\"}"
echo 'granted; tokens that are cached may lack it for up to a day'
