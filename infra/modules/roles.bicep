metadata description = 'Who may do what with storage and telemetry: each role on the smallest scope that will do. infra/README.md has the reasons.'

import { principal } from 'types.bicep'
import { roleIds } from 'role-ids.bicep'

@description('Storage account of host, queues and tables.')
param storageAccountName string

@description('Every queue.')
param queueNames string[]

@description('Queues that senders may put messages on.')
param senderQueueNames string[]

@description('Every table.')
param tableNames string[]

@description('Application Insights component.')
param applicationInsightsName string

@description('App identity.')
param identityName string

@description('Object ids of service principals that may put messages on those queues.')
param senderPrincipalIds string[]

@description('Who may read tables, queues, logs and metrics.')
param operators principal[]

// Every pair of a queue and a sender: a loop has one level.
var senders = flatten(map(senderQueueNames, queue => map(senderPrincipalIds, id => { queue: queue, id: id })))

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName

  resource queueService 'queueServices' existing = {
    name: 'default'
  }

  resource tableService 'tableServices' existing = {
    name: 'default'
  }
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for name in queueNames: {
    parent: account::queueService
    name: name
  }
]

resource senderQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for one in senders: {
    parent: account::queueService
    name: one.queue
  }
]

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' existing = [
  for name in tableNames: {
    parent: account::tableService
    name: name
  }
]

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource hostStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, identity.id, roleIds.storageBlobDataOwner)
  scope: account
  properties: {
    description: 'The host: its leases, keys and the deployed package.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageBlobDataOwner)
  }
}

resource queueRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in queueNames: {
    name: guid(queue[index].id, identity.id, roleIds.storageQueueDataContributor)
    scope: queue[index]
    properties: {
      description: 'Trigger and sender of this queue; Update Message needs messages/write, which only this role has.'
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.storageQueueDataContributor
      )
    }
  }
]

resource tableRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in tableNames: {
    name: guid(table[index].id, identity.id, roleIds.storageTableDataContributor)
    scope: table[index]
    properties: {
      description: 'The rows of this table.'
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.storageTableDataContributor
      )
    }
  }
]

resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, identity.id, roleIds.monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    description: 'Telemetry of host and app; keys are off there.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.monitoringMetricsPublisher
    )
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (one, index) in senders: {
    name: guid(senderQueue[index].id, one.id, roleIds.storageQueueDataMessageSender)
    scope: senderQueue[index]
    properties: {
      description: 'Puts updates on the queue.'
      principalId: one.id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.storageQueueDataMessageSender
      )
    }
  }
]

resource tableReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for one in operators: {
    name: guid(account.id, one.id, roleIds.storageTableDataReader)
    scope: account
    properties: {
      description: 'Reads the tables; the portal lists them on the account.'
      principalId: one.id
      principalType: one.type
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.storageTableDataReader
      )
    }
  }
]

resource queueReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for one in operators: {
    name: guid(account.id, one.id, roleIds.storageQueueDataReader)
    scope: account
    properties: {
      description: 'Peeks at the queues; the portal lists them on the account.'
      principalId: one.id
      principalType: one.type
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.storageQueueDataReader
      )
    }
  }
]

resource monitoringReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for one in operators: {
    name: guid(resourceGroup().id, one.id, roleIds.monitoringReader)
    properties: {
      description: 'Reads logs, metrics and alerts.'
      principalId: one.id
      principalType: one.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.monitoringReader)
    }
  }
]
