metadata description = 'The identity of the relay. It outlives the function app, and so does its Graph permission.'

import { tags as tagsType } from 'types.bicep'

@description('Name of the identity.')
@maxLength(128)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags tagsType

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Object id: whom the Graph permission is granted to.')
output principalId string = identity.properties.principalId
