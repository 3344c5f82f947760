metadata description = 'A topic whose CloudEvents go to the update queue, delivered by the identity of the topic.'

@description('Name of the topic.')
@minLength(3)
@maxLength(50)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Storage account of the update queue.')
param storageAccountName string

@description('Update queue.')
param queueName string

@description('Object ids of service principals that may publish.')
param senderPrincipalIds string[]

var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'
var storageQueueDataMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageAccountName

  resource queueService 'queueServices' existing = {
    name: 'default'

    resource updates 'queues' existing = {
      name: queueName
    }
  }
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  // Through a storage firewall only a system-assigned identity may deliver.
  identity: { type: 'SystemAssigned' }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

resource delivery 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::queueService::updates.id, topic.id, storageQueueDataMessageSender)
  scope: account::queueService::updates
  properties: {
    description: 'Event Grid puts events on the queue.'
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageQueueDataMessageSender)
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for id in senderPrincipalIds: {
  name: guid(topic.id, id, eventGridDataSender)
  scope: topic
  properties: {
    description: 'Publishes updates.'
    principalId: id
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataSender)
  }
}]

resource toUpdateQueue 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'update-queue'
  dependsOn: [delivery]
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: account.id
          queueName: queueName
          // Messages never expire, whoever puts them there.
          queueMessageTimeToLiveInSeconds: -1
        }
      }
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
}

@description('Where events are published.')
output endpoint string = topic.properties.endpoint
