metadata description = 'The function app on Flex Consumption: Python 3.13, every connection by identity, nothing secret in a setting.'

@description('Name of the function app.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of its plan; Flex Consumption takes one app a plan.')
param planName string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the app identity.')
param identityId string

@description('Client id of the app identity.')
param identityClientId string

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

@description('Microsoft Graph to write to.')
param graphCloud string

@description('Key Vault secret of WEBHOOK_SOURCES; empty: unset.')
param webhookSourcesSecretUri string

@description('Further settings by name; those made here win.')
param appSettings object

@description('Most instances of each scale group.')
param maximumInstanceCount int

@description('Memory of an instance in MB.')
param instanceMemoryMB int

@description('HTTP requests that one instance answers at a time.')
param httpConcurrency int

@description('Instances that always run, by scale group.')
param alwaysReady { name: string, instanceCount: int }[]

@description('Subnet for outgoing traffic; empty: none.')
param subnetId string

@description('Client id of the app registration that callers ask tokens for; empty: no App Service authentication.')
param authClientId string

@description('Client ids of the applications that may call; empty: every one of the tenant.')
param authAllowedApplications string[]

var settings = {
  // By name: with the service addresses the host on Flex was seen to fail (azure-functions-host issue 11787).
  AzureWebJobsStorage__accountName: storageAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
  AZURE_CLIENT_ID: identityClientId
  GRAPH_CLOUD: graphCloud
  // The worker tells the host that the app sends its own telemetry: docs/telemetry.md.
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  PYTHON_THREADPOOL_THREAD_COUNT: '32'
  UPDATES_QUEUE: queueName
  UPDATES_STORAGE__queueServiceUri: storage.properties.primaryEndpoints.queue
  UPDATES_STORAGE__tableServiceUri: storage.properties.primaryEndpoints.table
  UPDATES_STORAGE__credential: 'managedidentity'
  UPDATES_STORAGE__clientId: identityClientId
  UPDATES_TABLE_PREFIX: tablePrefix
}
var webhookSettings = empty(webhookSourcesSecretUri) ? {} : { WEBHOOK_SOURCES: '@Microsoft.KeyVault(SecretUri=${webhookSourcesSecretUri})' }

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageAccountName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'relay' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
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
            userAssignedIdentityResourceId: identityId
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
    properties: union(appSettings, settings, webhookSettings)
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

// Tokens come on top of function keys. Excluded is what the app leaves open, or verifies itself.
resource authentication 'Microsoft.Web/sites/config@2024-11-01' = if (!empty(authClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/api/health/live'
        '/api/health/ready'
        '/api/openapi.json'
        '/api/webhooks/*'
      ]
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
          defaultAuthorizationPolicy: empty(authAllowedApplications) ? {} : { allowedApplications: authAllowedApplications }
        }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}

@description('Name of the function app.')
output name string = app.name

@description('Where it answers, without a slash at its end.')
output url string = 'https://${app.properties.defaultHostName}'
