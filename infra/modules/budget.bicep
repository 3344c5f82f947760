metadata description = 'A monthly budget of the resource group. It warns; it stops nothing.'

@description('Name of the budget.')
@maxLength(63)
param name string

@description('Amount a month, in the currency of the subscription.')
param amount int

@description('First day of the month in which it begins.')
@minLength(10)
@maxLength(10)
param startDate string

@description('Who is warned besides the owners of the resource group; empty: nobody else.')
param email string

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      actual: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactRoles: ['Owner']
        contactEmails: empty(email) ? [] : [email]
      }
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactRoles: ['Owner']
        contactEmails: empty(email) ? [] : [email]
      }
    }
  }
}
