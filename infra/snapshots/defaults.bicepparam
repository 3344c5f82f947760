using '../main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param azureCloud = 'AzureCloud'
