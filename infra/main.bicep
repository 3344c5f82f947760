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

@description('Replication of the storage account. Standard_ZRS outlives the loss of a zone, where the region has zones.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Update queue (setting UPDATES_QUEUE). Its poison queue is NAME-poison.')
@minLength(3)
@maxLength(56)
param queueName string = 'compliance-updates'

@description('Prefix of the tables (setting UPDATES_TABLE_PREFIX): letters and digits, a letter first.')
@minLength(1)
@maxLength(40)
param tablePrefix string = 'compliance'

@description('Microsoft Graph to write to (setting GRAPH_CLOUD). Empty: the one of the Azure cloud that is deployed to.')
@allowed(['', 'global', 'usgov', 'usgovdod', 'china'])
param graphCloud string = ''

@description('Further settings of the app by name, such as { GRAPH_WRITE_QUOTA: \'50/20\' }. Settings made here win.')
param appSettings object = {}

@description('Most instances of each scale group (all HTTP functions together, every other function alone). The quota needs one.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 4

@description('Memory of an instance in MB; 2048 comes with one core.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('HTTP requests that one instance answers at a time. The platform default for Python is 1; the app has 32 threads.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Instances that always run, by scale group: http, function:deliver. Billed while idle.')
param alwaysReady { name: string, instanceCount: int }[] = []

@description('Puts storage, and the key vault if there is one, behind private endpoints in a virtual network of their own.')
param vnetEnabled bool = false

@description('Address space of that network: a /16; the subnets take its second and third /24.')
param vnetAddressPrefix string = '10.0.0.0/16'

@description('Client id of the Entra app registration that callers ask tokens for. Empty: function keys alone.')
param authClientId string = ''

@description('Client ids of the applications that may call, where authClientId is set. Empty: every application of the tenant.')
param authAllowedApplications string[] = []

@description('Makes a key vault for WEBHOOK_SOURCES.')
param keyVaultEnabled bool = false

@description('Name of the secret there that holds WEBHOOK_SOURCES. It must exist: an unresolved reference stops the app. Empty: unset.')
@maxLength(127)
param webhookSourcesSecretName string = ''

@description('Makes an Event Grid topic (CloudEvents 1.0) that delivers to the update queue.')
param eventGridEnabled bool = false

@description('Object ids of service principals that may publish to that topic.')
param eventSenderPrincipalIds string[] = []

@description('Object ids of service principals that may put messages on the update queue.')
param senderPrincipalIds string[] = []

@description('Grants the identity its Graph permission. The deployer must be allowed to: see infra/README.md.')
param grantGraphPermission bool = false

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

@description('Most GB of logs a day; what is above is lost. -1: no limit.')
@minValue(-1)
param logDailyQuotaGb int = 5

var tags = { 'azd-env-name': environmentName }
// 13 characters: every name below stays within its limit.
var token = toLower(uniqueString(subscription().id, environmentName, location))
var graphClouds = { AzureCloud: 'global', AzureUSGovernment: 'usgov', AzureChinaCloud: 'china' }

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    applicationInsightsName: 'appi-${token}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    sku: storageSku
    queueName: queueName
    tablePrefix: tablePrefix
    private: vnetEnabled
    trustedServices: eventGridEnabled
  }
}

module keyVault 'modules/key-vault.bicep' = if (keyVaultEnabled) {
  name: 'key-vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    private: vnetEnabled
    readerPrincipalId: identity.outputs.principalId
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    storageAccountName: storage.outputs.name
    queueName: queueName
    tableNames: storage.outputs.tableNames
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    principalId: identity.outputs.principalId
    senderPrincipalIds: senderPrincipalIds
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressPrefix: vnetAddressPrefix
    storageAccountId: storage.outputs.id
    keyVaultId: keyVaultEnabled ? keyVault!.outputs.id : ''
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  // The host cannot start without its storage: roles come first.
  dependsOn: [roles]
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    storageAccountName: storage.outputs.name
    packageContainerName: storage.outputs.packageContainerName
    queueName: queueName
    tablePrefix: tablePrefix
    graphCloud: empty(graphCloud) ? graphClouds[environment().name] : graphCloud
    webhookSourcesSecretUri: keyVaultEnabled && !empty(webhookSourcesSecretName) ? '${keyVault!.outputs.uri}secrets/${webhookSourcesSecretName}' : ''
    appSettings: appSettings
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    alwaysReady: alwaysReady
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    authClientId: authClientId
    authAllowedApplications: authAllowedApplications
  }
}

module eventGrid 'modules/event-grid.bicep' = if (eventGridEnabled) {
  name: 'event-grid'
  scope: group
  params: {
    name: 'evgt-${token}'
    location: location
    tags: tags
    storageAccountName: storage.outputs.name
    queueName: queueName
    senderPrincipalIds: eventSenderPrincipalIds
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    namePrefix: 'relay-${token}'
    location: location
    tags: tags
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    email: alertEmail
    oldestWaitingSeconds: oldestWaitingSeconds
    readinessUrl: readinessTestEnabled ? '${app.outputs.url}/api/health/ready' : ''
    readinessTestLocations: readinessTestLocations
  }
}

module graphPermission 'graph-permission.bicep' = if (grantGraphPermission) {
  name: 'graph-permission'
  scope: group
  params: {
    principalId: identity.outputs.principalId
  }
}

@description('For azd and the scripts.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output AZURE_FUNCTION_NAME string = app.outputs.name

@description('Where the API is.')
output RELAY_URL string = app.outputs.url

@description('Object id of the identity: whom the Graph permission is granted to.')
output RELAY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Whether this deployment granted the Graph permission.')
output RELAY_GRAPH_PERMISSION_GRANTED bool = grantGraphPermission

@description('Storage account of the update queue.')
output RELAY_STORAGE_ACCOUNT string = storage.outputs.name

@description('Where senders put messages.')
output RELAY_QUEUE_URL string = storage.outputs.queueUrl

@description('Where events are published; empty without a topic.')
output RELAY_EVENT_GRID_ENDPOINT string = eventGridEnabled ? eventGrid!.outputs.endpoint : ''

@description('Key vault of WEBHOOK_SOURCES; empty without one.')
output RELAY_KEY_VAULT string = keyVaultEnabled ? keyVault!.outputs.name : ''
