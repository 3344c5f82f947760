metadata description = 'Alerts. docs/operations.md has a paragraph for each: what it means, how to see it, what to do.'

@description('What the names begin with.')
param namePrefix string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the Application Insights component.')
param applicationInsightsId string

@description('Whom alerts are sent to; empty: nobody.')
param email string

@description('How long the first message of the queue may wait.')
param oldestWaitingSeconds int

@description('What the readiness test asks; empty: no test.')
param readinessUrl string

@description('Where it asks from.')
param readinessTestLocations string[]

// Each query answers at most one row with a `value`, which is compared with the threshold.
var rules = [
  {
    name: 'oldest-waiting'
    description: 'The first message of the queue has waited too long.'
    severity: 2
    window: 'PT15M'
    query: loadTextContent('../alerts/oldest-waiting.kql')
    operator: 'GreaterThan'
    threshold: oldestWaitingSeconds
  }
  {
    name: 'failure-rate'
    description: 'More than a tenth of the updates that ended failed.'
    severity: 2
    window: 'PT15M'
    query: loadTextContent('../alerts/failure-rate.kql')
    operator: 'GreaterThan'
    threshold: 10
  }
  {
    name: 'poison'
    description: 'Messages went through the poison queue: a bug, or an outage of storage.'
    severity: 1
    window: 'PT5M'
    query: loadTextContent('../alerts/poison.kql')
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'throttled'
    description: 'Graph answered 429 more than ten times: someone else uses up the tenant quota, or it changed.'
    severity: 3
    window: 'PT15M'
    query: loadTextContent('../alerts/throttled.kql')
    operator: 'GreaterThan'
    threshold: 10
  }
  {
    name: 'identity'
    description: 'Updates wait since no token could be had, or the Graph permission is missing.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../alerts/identity.kql')
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'silent'
    description: 'No telemetry: a timer runs every five minutes, so the app does not.'
    severity: 1
    window: 'PT30M'
    query: loadTextContent('../alerts/silent.kql')
    operator: 'LessThan'
    threshold: 1
  }
]

resource recipients 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: '${namePrefix}-recipients'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'relay'
    enabled: true
    emailReceivers: [
      {
        name: 'e-mail'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${namePrefix}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Relay: ${rule.name}'
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [applicationInsightsId]
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    autoMitigate: true
    // A new workspace has none of the tables yet.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: 'value'
          timeAggregation: 'Maximum'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(email) ? [] : [recipients.id] }
  }
}]

resource readinessTest 'Microsoft.Insights/webtests@2022-06-15' = if (!empty(readinessUrl)) {
  name: '${namePrefix}-readiness'
  location: location
  tags: union(tags, { 'hidden-link:${applicationInsightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${namePrefix}-readiness'
    Name: 'Relay: readiness'
    Kind: 'standard'
    Enabled: true
    Frequency: 900
    Timeout: 30
    RetryEnabled: true
    Locations: [for id in readinessTestLocations: { Id: id }]
    Request: {
      RequestUrl: readinessUrl
      HttpVerb: 'GET'
      ParseDependentRequests: false
      FollowRedirects: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource readiness 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(readinessUrl)) {
  name: '${namePrefix}-readiness'
  location: 'global'
  tags: tags
  properties: {
    description: 'Readiness fails from two places at least.'
    severity: 1
    enabled: true
    scopes: [readinessTest.id, applicationInsightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: readinessTest.id
      componentId: applicationInsightsId
      failedLocationCount: 2
    }
    actions: empty(email) ? [] : [{ actionGroupId: recipients.id }]
  }
}
