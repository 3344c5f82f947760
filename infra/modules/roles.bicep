metadata description = 'Who may do what with storage and telemetry: each role on the smallest scope that will do. infra/README.md has the reasons.'

@description('Storage account of host, queues and tables.')
param storageAccountName string

@description('Update queue.')
param queueName string

@description('Tables of the app.')
param tableNames string[]

@description('Application Insights component.')
param applicationInsightsName string

@description('Object id of the app identity.')
param principalId string

@description('Object ids of service principals that may put messages on the update queue.')
param senderPrincipalIds string[]

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roleIds = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageAccountName

  resource queueService 'queueServices' existing = {
    name: 'default'

    resource updates 'queues' existing = {
      name: queueName
    }

    resource poison 'queues' existing = {
      name: '${queueName}-poison'
    }
  }

  resource tableService 'tableServices' existing = {
    name: 'default'
  }
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' existing = [for name in tableNames: {
  parent: account::tableService
  name: name
}]

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource hostStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roleIds.storageBlobDataOwner)
  scope: account
  properties: {
    description: 'The host: its leases, keys and the deployed package.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageBlobDataOwner)
  }
}

resource updates 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::queueService::updates.id, principalId, roleIds.storageQueueDataContributor)
  scope: account::queueService::updates
  properties: {
    description: 'Trigger and sender of the update queue; Update Message needs messages/write, which only this role has.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageQueueDataContributor)
  }
}

resource poison 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::queueService::poison.id, principalId, roleIds.storageQueueDataContributor)
  scope: account::queueService::poison
  properties: {
    description: 'Trigger of the poison queue, and the host that moves messages there.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageQueueDataContributor)
  }
}

resource tableRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in tableNames: {
  name: guid(storageAccountName, name, principalId, roleIds.storageTableDataContributor)
  scope: table[index]
  properties: {
    description: 'The rows of this table.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageTableDataContributor)
  }
}]

resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, principalId, roleIds.monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    description: 'Telemetry of host and app; keys are off there.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.monitoringMetricsPublisher)
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in senderPrincipalIds: {
  name: guid(account::queueService::updates.id, id, roleIds.storageQueueDataMessageSender)
  scope: account::queueService::updates
  properties: {
    description: 'Puts updates on the queue.'
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageQueueDataMessageSender)
  }
}]
