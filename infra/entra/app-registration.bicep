metadata description = 'The app registration that callers of the relay ask tokens for. An administrator of the tenant deploys it once.'

extension microsoftGraphV1

@description('Name of the registration. Deployed again with the same name, the same registration is updated.')
@minLength(1)
@maxLength(120)
param uniqueName string = 'compliance-status-relay'

@description('Application id URI: what callers ask a token for, with /.default at its end. A domain of the tenant, or the tenant id, is part of it.')
param identifierUri string = 'api://${tenant().tenantId}/${uniqueName}'

@description('Who gets which role: the object id of a service principal, a user or a group.')
param assignments { principalId: string, role: 'Updates.Send' | 'Updates.Read' | 'Updates.Operate' }[] = []

@description('Address of the function app, for the sign-in of the dashboard, such as https://NAME.azurewebsites.net. Empty: nobody signs in by a browser.')
param relayUrl string = ''

// The ids are made from the name, so that a second deployment finds the same roles.
var roles = [
  {
    value: 'Updates.Send'
    displayName: 'Send updates'
    description: 'Submit and validate updates, and read the own ones.'
  }
  {
    value: 'Updates.Read'
    displayName: 'Read updates'
    description: 'Read all updates, user statuses, statistics and the audit.'
  }
  {
    value: 'Updates.Operate'
    displayName: 'Operate the relay'
    description: 'Read everything, cancel, replay, erase, pause and probe.'
  }
]

resource registration 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: 'Compliance Status Relay'
  description: 'Carries compliance statuses to Microsoft Intune.'
  signInAudience: 'AzureADMyOrg'
  identifierUris: [identifierUri]
  // App Service authentication trusts the v2.0 issuer alone: version 1 tokens, the default, would be refused.
  api: { requestedAccessTokenVersion: 2 }
  web: {
    redirectUris: empty(relayUrl) ? [] : ['${relayUrl}/.auth/login/aad/callback']
    implicitGrantSettings: { enableIdTokenIssuance: !empty(relayUrl) }
  }
  appRoles: [
    for role in roles: {
      id: guid(uniqueName, role.value)
      value: role.value
      displayName: role.displayName
      description: role.description
      allowedMemberTypes: ['Application', 'User']
      isEnabled: true
    }
  ]
}

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: registration.appId
  // Nobody gets a token for the relay without a role.
  appRoleAssignmentRequired: true
}

resource assignment 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for one in assignments: {
    appRoleId: guid(uniqueName, one.role)
    principalId: one.principalId
    resourceId: servicePrincipal.id
  }
]

@description('Client id: the value of AUTH_CLIENT_ID.')
output clientId string = registration.appId

@description('What callers ask a token for.')
output scope string = '${identifierUri}/.default'
