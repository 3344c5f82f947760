metadata description = 'Grants an identity the one Graph permission that the relay needs. An administrator of the tenant deploys it once.'

extension microsoftGraphV1

@description('Object id of the managed identity (output RELAY_PRINCIPAL_ID).')
@minLength(36)
@maxLength(36)
param principalId string

// https://learn.microsoft.com/graph/permissions-reference#devicemanagementconfigurationreadwriteall
var deviceManagementConfigurationReadWriteAll = '9241abd9-d0e6-425a-bd4f-47ba86e767a4'

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource grant 'Microsoft.Graph/appRoleAssignedTo@v1.0' = {
  appRoleId: deviceManagementConfigurationReadWriteAll
  principalId: principalId
  resourceId: graph.id
}
