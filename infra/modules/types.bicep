metadata description = 'Types that several files share.'

@export()
@description('Tags of a resource.')
type tags = { *: string }

@export()
@description('Someone who gets a role: the object id, and what it is the id of.')
type principal = {
  @minLength(36)
  @maxLength(36)
  id: string
  type: 'User' | 'Group' | 'ServicePrincipal'
}
