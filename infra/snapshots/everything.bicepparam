using '../main.bicep'

param environmentName = 'test'
param location = 'chinanorth3'
param azureCloud = 'AzureChinaCloud'
param resourceGroupName = 'relay'
param storageSku = 'Standard_ZRS'
param appSettings = { GRAPH_WRITE_QUOTA: '50/20' }
param alwaysReady = [{ name: 'http', instanceCount: 2 }, { name: 'function:deliver', instanceCount: 2 }]
param zoneRedundant = true
param vnetEnabled = true
param authClientId = '10000000-0000-4000-8000-000000000001'
param authAllowedApplications = ['10000000-0000-4000-8000-000000000002']
param keyVaultEnabled = true
param webhookSourcesSecretName = 'webhook-sources' // pragma: allowlist secret
param secretWriters = [{ id: '20000000-0000-4000-8000-000000000001', type: 'User' }]
param eventGridEnabled = true
param eventSenderPrincipalIds = ['20000000-0000-4000-8000-000000000002']
param senderPrincipalIds = ['20000000-0000-4000-8000-000000000003']
param operators = [{ id: '20000000-0000-4000-8000-000000000004', type: 'Group' }]
param alertEmail = 'operators@example.com'
param storageLogsEnabled = true
param lockEnabled = true
param budgetAmount = 100
param budgetStartDate = '2026-12-01'
