metadata description = 'A vault for WEBHOOK_SOURCES, read by the app identity through a Key Vault reference.'

import { principal, tags as tagsType } from 'types.bicep'
import { roleIds } from 'role-ids.bicep'

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags tagsType

@description('Reachable through its private endpoint only.')
param private bool

@description('App identity.')
param identityName string

@description('Who may write secrets.')
param secretWriters principal[]

@description('Workspace of the audit log.')
param workspaceName string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: private ? 'Deny' : 'Allow'
      bypass: private ? 'None' : 'AzureServices'
    }
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, roleIds.keyVaultSecretsUser)
  scope: vault
  properties: {
    description: 'Reads WEBHOOK_SOURCES.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.keyVaultSecretsUser)
  }
}

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for one in secretWriters: {
    name: guid(vault.id, one.id, roleIds.keyVaultSecretsOfficer)
    scope: vault
    properties: {
      description: 'Writes WEBHOOK_SOURCES.'
      principalId: one.id
      principalType: one.type
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.keyVaultSecretsOfficer
      )
    }
  }
]

resource auditLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: vault
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}
