metadata description = 'The function app on Flex Consumption: Python 3.13, every connection by identity, nothing secret in a setting.'

import { tags as tagsType } from 'types.bicep'

@description('Name of the function app.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of its plan; Flex Consumption takes one app a plan.')
param planName string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags tagsType

@description('App identity.')
param identityName string

@description('Application Insights component.')
param applicationInsightsName string

@description('Storage account of host, queues and tables.')
param storageAccountName string

@description('Container that the app is deployed to.')
param packageContainerName string

@description('Update queue.')
param queueName string

@description('Prefix of the tables.')
param tablePrefix string

@description('Azure cloud that is deployed to.')
param azureCloud string

@description('Microsoft Graph to write to.')
param graphCloud string

@description('Key vault of WEBHOOK_SOURCES; empty: none.')
param keyVaultName string

@description('Secret there that holds WEBHOOK_SOURCES; empty: unset.')
param webhookSourcesSecretName string

@description('Further settings by name; those made here win.')
param appSettings { *: string }

@description('Most instances of each scale group.')
param maximumInstanceCount int

@description('Memory of an instance in MB.')
param instanceMemoryMB int

@description('HTTP requests that one instance answers at a time.')
param httpConcurrency int

@description('Instances that always run, by scale group.')
param alwaysReady { name: string, instanceCount: int }[]

@description('Spreads the instances over the zones of the region.')
param zoneRedundant bool

@description('Virtual network for outgoing traffic; empty: none.')
param networkName string

@description('Client id of the app registration that callers ask tokens for; empty: function keys.')
param authClientId string

@description('Client ids of the applications that may call; empty: every one of the tenant.')
param authAllowedApplications string[]

@description('Workspace that gets the log of the host; empty: none.')
param workspaceName string

// The account name means core.windows.net, the public cloud. There the name is the better of the two: with the addresses
// of the services, hosts on Flex were seen to fail (https://github.com/Azure/azure-functions-host/issues/11787).
var hostStorage = azureCloud == 'AzureCloud'
  ? { AzureWebJobsStorage__accountName: storageAccountName }
  : {
      AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
    }
var settings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identity.properties.clientId}'
  AZURE_CLIENT_ID: identity.properties.clientId
  GRAPH_CLOUD: graphCloud
  // The app sends its own telemetry: docs/telemetry.md.
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  PYTHON_THREADPOOL_THREAD_COUNT: '32'
  UPDATES_QUEUE: queueName
  UPDATES_STORAGE__queueServiceUri: storage.properties.primaryEndpoints.queue
  UPDATES_STORAGE__tableServiceUri: storage.properties.primaryEndpoints.table
  UPDATES_STORAGE__credential: 'managedidentity'
  UPDATES_STORAGE__clientId: identity.properties.clientId
  UPDATES_TABLE_PREFIX: tablePrefix
}
// The app decides by the caller's roles; without the registration the host asks for function keys.
var authenticationSettings = empty(authClientId) ? {} : { AUTHENTICATION: 'entra' }
var webhookSettings = empty(keyVaultName) || empty(webhookSourcesSecretName)
  ? {}
  : {
      WEBHOOK_SOURCES: '@Microsoft.KeyVault(SecretUri=${vault!.properties.vaultUri}secrets/${webhookSourcesSecretName})'
    }

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = if (!empty(keyVaultName)) {
  name: keyVaultName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = if (!empty(workspaceName)) {
  name: workspaceName
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = if (!empty(networkName)) {
  name: networkName

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'relay' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    virtualNetworkSubnetId: empty(networkName) ? null : network::appSubnet.id
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: instanceMemoryMB
        alwaysReady: alwaysReady
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }

  resource appSettingsConfig 'config' = {
    name: 'appsettings'
    properties: union(appSettings, hostStorage, settings, authenticationSettings, webhookSettings)
  }

  // Deployment signs in with Entra; passwords for it are off.
  resource scmPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource ftpPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

// The platform establishes who calls, and the app decides who may: it answers those without a token or a role itself, with
// problem details, and leaves open what needs none (health, the dashboard's files, webhooks).
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = if (!empty(authClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [authClientId, 'api://${authClientId}']
          // Its own client id is that of people who sign in at the dashboard.
          defaultAuthorizationPolicy: empty(authAllowedApplications)
            ? {}
            : { allowedApplications: union([authClientId], authAllowedApplications) }
        }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}

resource hostLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceName)) {
  name: 'workspace'
  scope: app
  properties: {
    workspaceId: workspace.id
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
  }
}

@description('Where it answers, without a slash at its end.')
output url string = 'https://${app.properties.defaultHostName}'
