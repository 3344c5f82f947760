metadata description = 'One account for the host, the queues and the tables, without keys. The queues and tables that the app uses are made here.'

import { tags as tagsType } from 'types.bicep'

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags tagsType

@description('Replication.')
param sku string

@description('Blob containers.')
param containerNames string[]

@description('Every queue.')
param queueNames string[]

@description('Every table.')
param tableNames string[]

@description('Reachable through private endpoints only.')
param private bool

@description('Azure services on the trusted list (Event Grid, by its identity) pass the firewall of a private account.')
param trustedServices bool

@description('Container whose blobs are deleted after 30 days; empty: none.')
param expiringContainerName string

@description('Locks the account against deletion.')
param lockEnabled bool

@description('Workspace that gets a line for every read, write and delete; empty: none.')
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = if (!empty(workspaceName)) {
  name: workspaceName
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Event Grid has no private way to a queue: then the firewall stays, closed to all but trusted services.
    publicNetworkAccess: private && !trustedServices ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: private ? 'Deny' : 'Allow'
      bypass: !private || trustedServices ? 'AzureServices' : 'None'
    }
  }

  resource blobService 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }
  }

  resource queueService 'queueServices' = {
    name: 'default'
  }

  resource tableService 'tableServices' = {
    name: 'default'
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for each in containerNames: {
    parent: account::blobService
    name: each
    properties: { publicAccess: 'None' }
  }
]

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [
  for each in queueNames: {
    parent: account::queueService
    name: each
  }
]

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [
  for each in tableNames: {
    parent: account::tableService
    name: each
  }
]

resource expiry 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = if (!empty(expiringContainerName)) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          // Dead letters are updates: they hold personal data, and nobody replays them after a month.
          name: 'expire-${expiringContainerName}'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${expiringContainerName}/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
          }
        }
      ]
    }
  }
  dependsOn: [container]
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (lockEnabled) {
  name: 'keep'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Queues and tables are the state of the relay.'
  }
}

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceName)) {
  name: 'workspace'
  scope: account::blobService
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceName)) {
  name: 'workspace'
  scope: account::queueService
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceName)) {
  name: 'workspace'
  scope: account::tableService
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

@description('Address of the queue service, with a slash at its end.')
output queueEndpoint string = account.properties.primaryEndpoints.queue
