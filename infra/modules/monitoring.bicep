metadata description = 'Application Insights on a Log Analytics workspace; telemetry is taken from Entra identities only.'

import { tags as tagsType } from 'types.bicep'

@description('Name of the workspace.')
@maxLength(63)
param workspaceName string

@description('Name of the Application Insights component.')
@maxLength(260)
param applicationInsightsName string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags tagsType

@description('Days that logs are kept.')
param retentionDays int

@description('Most GB a day; -1: no limit.')
param dailyQuotaGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}
