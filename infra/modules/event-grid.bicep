metadata description = 'A topic whose CloudEvents go to the update queue, delivered by the identity of the topic. What it cannot deliver goes to a container.'

import { tags as tagsType } from 'types.bicep'
import { roleIds } from 'role-ids.bicep'

@description('Name of the topic.')
@minLength(3)
@maxLength(50)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags tagsType

@description('Storage account of the update queue.')
param storageAccountName string

@description('Update queue.')
param queueName string

@description('Container that takes the events which could not be delivered.')
param deadLetterContainerName string

@description('Object ids of service principals that may publish.')
param senderPrincipalIds string[]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName

  resource blobService 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = {
      name: deadLetterContainerName
    }
  }

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
  name: guid(account::queueService::updates.id, topic.id, roleIds.storageQueueDataMessageSender)
  scope: account::queueService::updates
  properties: {
    description: 'Event Grid puts events on the queue.'
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.storageQueueDataMessageSender
    )
  }
}

resource deadLettering 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobService::deadLetters.id, topic.id, roleIds.storageBlobDataContributor)
  scope: account::blobService::deadLetters
  properties: {
    description: 'Event Grid keeps what it cannot deliver.'
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.storageBlobDataContributor
    )
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in senderPrincipalIds: {
    name: guid(topic.id, id, roleIds.eventGridDataSender)
    scope: topic
    properties: {
      description: 'Publishes updates.'
      principalId: id
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.eventGridDataSender)
    }
  }
]

resource toUpdateQueue 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'update-queue'
  dependsOn: [delivery, deadLettering]
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: account.id
          queueName: queueName
          // Messages never expire.
          queueMessageTimeToLiveInSeconds: -1
        }
      }
    }
    // Without this, an event that exceeds 64 KB, or 30 tries, or 24 hours is gone.
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: account.id
          blobContainerName: deadLetterContainerName
        }
      }
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
}

@description('Where events are published.')
output endpoint string = topic.properties.endpoint
