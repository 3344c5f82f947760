metadata description = 'Compliance Status Relay: one resource group with all that the relay needs, and nothing more.'

targetScope = 'subscription'

@description('Name of the environment. azd sets it; every name derives from it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources. It must have Flex Consumption: az functionapp list-flexconsumption-locations.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('Resource group. Empty: rg-ENVIRONMENT.')
@maxLength(90)
param resourceGroupName string = ''

@description('Azure cloud that is deployed to: AzureCloud, AzureUSGovernment or AzureChinaCloud. The Graph cloud follows it.')
param azureCloud string = environment().name

@description('Replication of the storage account. Standard_ZRS survives the loss of a zone, where the region has zones.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Update queue (setting UPDATES_QUEUE). The outbox of notices is NAME-notices; each has a poison queue.')
@minLength(3)
@maxLength(48)
param queueName string = 'compliance-updates'

@description('Prefix of the tables (setting UPDATES_TABLE_PREFIX): letters and digits, a letter first.')
@minLength(1)
@maxLength(40)
param tablePrefix string = 'compliance'

@description('Microsoft Graph to write to (setting GRAPH_CLOUD). Empty: the one of azureCloud.')
@allowed(['', 'global', 'usgov', 'usgovdod', 'china'])
param graphCloud string = ''

@description('Further settings of the app by name, such as { GRAPH_WRITE_QUOTA: \'50/20\' }. Settings made here win.')
param appSettings { *: string } = {}

@description('Most instances of each scale group. Fewer than 40 may be refused or not enforced; nothing depends on it.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Memory of an instance in MB; 2048 comes with one core.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('HTTP requests that one instance answers at a time. The platform default for Python is 1; the app has 32 threads.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Instances that always run, by scale group: http, function:deliver. Billed while idle.')
param alwaysReady { name: string, instanceCount: int }[] = []

@description('Spreads the instances over the zones of the region. Choose a storageSku with ZRS as well.')
param zoneRedundant bool = false

@description('Puts storage, and the key vault if there is one, behind private endpoints in a virtual network of their own.')
param vnetEnabled bool = false

@description('Address space of that network: a /16; the subnets take its second and third /24.')
param vnetAddressPrefix string = '10.0.0.0/16'

@description('Client id of the Entra app registration that callers ask tokens for. Empty: function keys.')
param authClientId string = ''

@description('Client ids of the applications that may call, where authClientId is set. Empty: every application of the tenant.')
param authAllowedApplications string[] = []

@description('Makes a key vault for WEBHOOK_SOURCES.')
param keyVaultEnabled bool = false

@description('Name of the secret there that holds WEBHOOK_SOURCES. It must exist: an unresolved reference stops the app. Empty: unset.')
@maxLength(127)
param webhookSourcesSecretName string = ''

@description('Users, groups and service principals that may write secrets to that vault.')
param secretWriters principal[] = []

@description('Makes an Event Grid topic (CloudEvents 1.0) that delivers to the update queue.')
param eventGridEnabled bool = false

@description('Object ids of service principals that may publish to that topic.')
param eventSenderPrincipalIds string[] = []

@description('Object ids of service principals that may put messages on the update queue.')
param senderPrincipalIds string[] = []

@description('Users, groups and service principals that may read tables, queues, logs and metrics. Tables hold personal data.')
param operators principal[] = []

@description('E-mail address that alerts go to. Empty: alerts are only shown in the portal.')
param alertEmail string = ''

@description('Alert when the first message of the queue has waited so many seconds.')
@minValue(60)
param oldestWaitingSeconds int = 900

@description('Tests readiness from outside and alerts. Switch it off when the app cannot be reached from the internet.')
param readinessTestEnabled bool = true

@description('Where readiness is tested from; the default is of the public cloud.')
param readinessTestLocations string[] = ['emea-nl-ams-azr', 'us-va-ash-azr', 'apac-sg-sin-azr']

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most GB of logs a day; what is above is lost, and an alert says so. -1: no limit.')
@minValue(-1)
param logDailyQuotaGb int = 5

@description('Sends the log of the host to the workspace: it says why an app does not start.')
param functionLogsEnabled bool = true

@description('Sends every read, write and delete on blobs, queues and tables to the workspace. Each poll of a queue is a line.')
param storageLogsEnabled bool = false

@description('Locks the storage account against deletion. Only an Owner or User Access Administrator can deploy a lock.')
param lockEnabled bool = false

@description('Monthly budget of the resource group, in the currency of the subscription. 0: none.')
@minValue(0)
param budgetAmount int = 0

@description('First day of the month in which the budget begins, such as 2026-12-01. It cannot be changed later.')
param budgetStartDate string = ''

import { principal } from 'modules/types.bicep'

var tags = { 'azd-env-name': environmentName }
// 13 characters: every name below stays within its limit.
var token = toLower(uniqueString(subscription().id, environmentName, location))
var graphClouds = { AzureCloud: 'global', AzureUSGovernment: 'usgov', AzureChinaCloud: 'china' }

// Names are computed here and passed on, never read from a module: so what-if can resolve every resource.
var identityName = 'id-${token}'
var workspaceName = 'log-${token}'
var applicationInsightsName = 'appi-${token}'
var storageAccountName = 'st${token}'
var keyVaultName = 'kv-${token}'
var networkName = 'vnet-${token}'
var planName = 'plan-${token}'
var appName = 'func-${token}'
var topicName = 'evgt-${token}'
var packageContainerName = 'app-package'
var deadLetterContainerName = 'event-dead-letters'

// One line a queue: the host needs a poison queue beside each queue with a trigger.
var triggerQueueNames = [
  queueName
  '${queueName}-bulk'
  '${queueName}-notices'
]
var queueNames = flatten(map(triggerQueueNames, name => [name, '${name}-poison']))
// Queues that senders may put messages on.
var senderQueueNames = [
  queueName
  '${queueName}-bulk'
]
// The names that the app asks for; a test compares them.
var tableNames = map(
  ['Outcomes', 'UserStatuses', 'Pacing', 'IdempotencyKeys', 'Activity', 'Erasures', 'OpenHours', 'Audit', 'Pauses'],
  name => '${tablePrefix}${name}'
)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: workspaceName
    applicationInsightsName: applicationInsightsName
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  dependsOn: [monitoring]
  params: {
    name: storageAccountName
    location: location
    tags: tags
    sku: storageSku
    containerNames: concat([packageContainerName], eventGridEnabled ? [deadLetterContainerName] : [])
    queueNames: queueNames
    tableNames: tableNames
    private: vnetEnabled
    trustedServices: eventGridEnabled
    expiringContainerName: eventGridEnabled ? deadLetterContainerName : ''
    lockEnabled: lockEnabled
    workspaceName: storageLogsEnabled ? workspaceName : ''
  }
}

module keyVault 'modules/key-vault.bicep' = if (keyVaultEnabled) {
  scope: group
  dependsOn: [identity, monitoring]
  params: {
    name: keyVaultName
    location: location
    tags: tags
    private: vnetEnabled
    identityName: identityName
    secretWriters: secretWriters
    workspaceName: workspaceName
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  dependsOn: [identity, monitoring, storage]
  params: {
    storageAccountName: storageAccountName
    queueNames: queueNames
    senderQueueNames: senderQueueNames
    tableNames: tableNames
    applicationInsightsName: applicationInsightsName
    identityName: identityName
    senderPrincipalIds: senderPrincipalIds
    operators: operators
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  scope: group
  dependsOn: [storage, keyVault]
  params: {
    name: networkName
    location: location
    tags: tags
    addressPrefix: vnetAddressPrefix
    storageAccountName: storageAccountName
    keyVaultName: keyVaultEnabled ? keyVaultName : ''
  }
}

module app 'modules/app.bicep' = {
  scope: group
  // The host cannot start without its storage: roles come first.
  dependsOn: [roles, network, keyVault]
  params: {
    name: appName
    planName: planName
    location: location
    tags: tags
    identityName: identityName
    applicationInsightsName: applicationInsightsName
    storageAccountName: storageAccountName
    packageContainerName: packageContainerName
    queueName: queueName
    tablePrefix: tablePrefix
    azureCloud: azureCloud
    graphCloud: empty(graphCloud) ? graphClouds[azureCloud] : graphCloud
    keyVaultName: keyVaultEnabled ? keyVaultName : ''
    webhookSourcesSecretName: webhookSourcesSecretName
    appSettings: appSettings
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    networkName: vnetEnabled ? networkName : ''
    authClientId: authClientId
    authAllowedApplications: authAllowedApplications
    workspaceName: functionLogsEnabled ? workspaceName : ''
  }
}

module eventGrid 'modules/event-grid.bicep' = if (eventGridEnabled) {
  scope: group
  dependsOn: [storage]
  params: {
    name: topicName
    location: location
    tags: tags
    storageAccountName: storageAccountName
    queueName: queueName
    deadLetterContainerName: deadLetterContainerName
    senderPrincipalIds: eventSenderPrincipalIds
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  dependsOn: [app, eventGrid]
  params: {
    namePrefix: 'relay-${token}'
    location: location
    tags: tags
    workspaceName: workspaceName
    applicationInsightsName: applicationInsightsName
    email: alertEmail
    oldestWaitingSeconds: oldestWaitingSeconds
    readinessAppName: readinessTestEnabled ? appName : ''
    readinessTestLocations: readinessTestLocations
    topicName: eventGridEnabled ? topicName : ''
  }
}

module budget 'modules/budget.bicep' = if (budgetAmount > 0) {
  scope: group
  params: {
    name: 'relay-${token}'
    amount: budgetAmount
    startDate: budgetStartDate
    email: alertEmail
  }
}

@description('For azd and the scripts.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output AZURE_FUNCTION_NAME string = appName

@description('Where the API is.')
output RELAY_URL string = app.outputs.url

@description('Object id of the identity: whom the Graph permission is granted to.')
output RELAY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Storage account of the update queue.')
output RELAY_STORAGE_ACCOUNT string = storageAccountName

@description('Where senders put messages.')
output RELAY_QUEUE_URL string = '${storage.outputs.queueEndpoint}${queueName}'

@description('Where events are published; empty without a topic.')
output RELAY_EVENT_GRID_ENDPOINT string = eventGridEnabled ? eventGrid!.outputs.endpoint : ''

@description('Key vault of WEBHOOK_SOURCES; empty without one.')
output RELAY_KEY_VAULT string = keyVaultEnabled ? keyVaultName : ''
