#!/usr/bin/env bash
# Narrows what `azd pipeline config` made, for a workflow that deploys from one GitHub environment; twice does no harm.
# azd gives the pipeline's identity Contributor and User Access Administrator on the subscription, and lets every pull
# request sign in as it. This script leaves a credential for the environment alone, and replaces User Access Administrator
# by Role Based Access Control Administrator, with a condition: only the roles of infra/modules/role-ids.bicep.
# Sign in first (az login) as Owner of the subscription and of the app registration.
# Usage: secure-pipeline.sh CLIENT_ID SUBSCRIPTION_ID OWNER/REPOSITORY [ENVIRONMENT, default: azure]
set -euo pipefail

guid='^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
client="${1:-}" subscription="${2:-}" repository="${3:-}" environment="${4:-azure}"
if [[ ! "$client" =~ $guid || ! "$subscription" =~ $guid || ! "$repository" =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ \
  || ! "$environment" =~ ^[A-Za-z0-9_-]+$ ]]; then
  echo "usage: $0 CLIENT_ID SUBSCRIPTION_ID OWNER/REPOSITORY [ENVIRONMENT]" >&2
  exit 2
fi
command -v az >/dev/null || { echo 'the Azure CLI (az) is needed' >&2; exit 2; }

subject="repo:$repository:environment:$environment"
scope="/subscriptions/$subscription"
principal="$(az ad sp show --id "$client" --query id --output tsv)"
roles="$(sed -n "s/^  [A-Za-z]*: '\([0-9a-f-]\{36\}\)'$/\1/p" "$(dirname "$0")/../modules/role-ids.bicep" | paste -sd , | sed 's/,/, /g')"

# 1. Who may sign in as the identity: this environment, nobody else.
subjects="$(az ad app federated-credential list --id "$client" --query "[].subject" --output tsv)"
if ! grep -qxF "$subject" <<< "$subjects"; then
  az ad app federated-credential create --id "$client" --output none --parameters \
    "{\"name\": \"github-$environment\", \"issuer\": \"https://token.actions.githubusercontent.com\", \"subject\": \"$subject\", \"audiences\": [\"api://AzureADTokenExchange\"]}"
  echo "added: $subject"
fi
az ad app federated-credential list --id "$client" --query "[?subject!='$subject'].[id, subject]" --output tsv |
  while IFS=$'\t' read -r id other; do
    az ad app federated-credential delete --id "$client" --federated-credential-id "$id" --output none </dev/null
    echo "removed: $other"
  done

# 2. What it may do: assign these roles, and to service principals, groups and users no other.
ids="@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {$roles}"
condition="((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR ($ids)) AND ((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR (${ids/@Request/@Resource}))"
name='Role Based Access Control Administrator'
if [[ -z "$(az role assignment list --assignee "$principal" --scope "$scope" --role "$name" --query "[].id" --output tsv)" ]]; then
  az role assignment create --assignee-object-id "$principal" --assignee-principal-type ServicePrincipal --scope "$scope" \
    --role "$name" --condition "$condition" --condition-version 2.0 --output none
  echo "assigned: $name, for the roles of the relay"
fi
if [[ -n "$(az role assignment list --assignee "$principal" --scope "$scope" --role 'User Access Administrator' --query "[].id" --output tsv)" ]]; then
  az role assignment delete --assignee "$principal" --scope "$scope" --role 'User Access Administrator'
  echo 'removed: User Access Administrator'
fi
echo "Now give the GitHub environment '$environment' of $repository its reviewers: Settings, Environments."
