metadata description = 'One account for the host, the queues and the tables, without keys. The queues and tables that the app uses are made here.'

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Replication.')
param sku string

@description('Update queue; its poison queue is NAME-poison.')
param queueName string

@description('Prefix of the tables.')
param tablePrefix string

@description('Reachable through private endpoints only.')
param private bool

@description('Azure services on the trusted list (Event Grid, by its identity) pass the firewall of a private account.')
param trustedServices bool

// The names that shared/outside.py asks for; a test compares them.
var tables = ['Outcomes', 'UserStatuses', 'Pacing', 'IdempotencyKeys', 'Activity', 'Erasures']

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
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

    resource package 'containers' = {
      name: 'app-package'
      properties: { publicAccess: 'None' }
    }
  }

  resource queueService 'queueServices' = {
    name: 'default'

    resource updates 'queues' = {
      name: queueName
    }

    resource poison 'queues' = {
      name: '${queueName}-poison'
    }
  }

  resource tableService 'tableServices' = {
    name: 'default'
  }
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [for each in tables: {
  parent: account::tableService
  name: '${tablePrefix}${each}'
}]

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Container that the app is deployed to.')
output packageContainerName string = account::blobService::package.name

@description('Names of the tables.')
output tableNames string[] = [for each in tables: '${tablePrefix}${each}']

@description('Address of the update queue.')
output queueUrl string = '${account.properties.primaryEndpoints.queue}${account::queueService::updates.name}'
