metadata description = 'Alerts. docs/operations.md has a paragraph for each: what it means, how to see it, what to do.'

import { tags as tagsType } from 'types.bicep'

@description('What the names begin with.')
@maxLength(80)
param namePrefix string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags tagsType

@description('Log Analytics workspace.')
param workspaceName string

@description('Application Insights component.')
param applicationInsightsName string

@description('Whom alerts are sent to; empty: nobody.')
param email string

@description('How long the first message of the queue may wait.')
param oldestWaitingSeconds int

@description('Function app whose readiness is tested; empty: no test.')
param readinessAppName string

@description('Where the test asks from.')
param readinessTestLocations string[]

@description('Event Grid topic to watch; empty: none.')
param topicName string

// Each query answers at most one row with a `value`, which is compared with the threshold.
var rules = [
  {
    name: 'oldest-waiting'
    description: 'The first message of the queue has waited too long.'
    severity: 2
    window: 'PT15M'
    query: loadTextContent('../alerts/oldest-waiting.kql')
    scope: applicationInsights.id
    operator: 'GreaterThan'
    threshold: oldestWaitingSeconds
  }
  {
    name: 'failure-rate'
    description: 'More than a tenth of the updates that ended failed.'
    severity: 2
    window: 'PT15M'
    query: loadTextContent('../alerts/failure-rate.kql')
    scope: applicationInsights.id
    operator: 'GreaterThan'
    threshold: 10
  }
  {
    name: 'poison'
    description: 'Messages went through the poison queue: a bug, or an outage of storage.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../alerts/poison.kql')
    scope: applicationInsights.id
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'throttled'
    description: 'Graph answered 429 more than ten times: another app uses up the tenant quota, or the quota changed.'
    severity: 3
    window: 'PT15M'
    query: loadTextContent('../alerts/throttled.kql')
    scope: applicationInsights.id
    operator: 'GreaterThan'
    threshold: 10
  }
  {
    name: 'identity'
    description: 'Updates wait because there is no token, or the Graph permission is missing.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../alerts/identity.kql')
    scope: applicationInsights.id
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'silent'
    description: 'The app did not report the length of its queue, as it does once a minute: it does not run.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../alerts/silent.kql')
    scope: applicationInsights.id
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'brake'
    description: 'The brake holds updates of a status: more of them came than CHANGE_BRAKE lets through. An operator decides.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../alerts/brake.kql')
    scope: applicationInsights.id
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'daily-cap'
    description: 'The workspace takes no more logs today: the other alerts see nothing.'
    severity: 2
    window: 'PT15M'
    query: loadTextContent('../alerts/daily-cap.kql')
    scope: workspace.id
    operator: 'GreaterThan'
    threshold: 0
  }
]

// Metrics of an Event Grid topic: https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-eventgrid-topics-metrics
var topicRules = empty(topicName)
  ? []
  : [
      {
        name: 'event-dropped'
        description: 'Event Grid gave up events and could not keep them: they are lost.'
        severity: 1
        metric: 'DroppedEventCount'
        threshold: 0
      }
      {
        name: 'event-dead-lettered'
        description: 'Event Grid gave up events and keeps them in the container of dead letters.'
        severity: 2
        metric: 'DeadLetteredCount'
        threshold: 0
      }
      {
        name: 'event-delivery-failed'
        description: 'Event Grid could not put events on the queue more than ten times; it tries again.'
        severity: 3
        metric: 'DeliveryAttemptFailCount'
        threshold: 10
      }
    ]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = if (!empty(readinessAppName)) {
  name: readinessAppName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = if (!empty(topicName)) {
  name: topicName
}

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

resource logAlert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${namePrefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Relay: ${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [rule.scope]
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
  }
]

resource topicAlert 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for rule in topicRules: {
    name: '${namePrefix}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [topic.id]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: rule.metric
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: 'Microsoft.EventGrid/topics'
            metricName: rule.metric
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: rule.threshold
          }
        ]
      }
      actions: empty(email) ? [] : [{ actionGroupId: recipients.id }]
    }
  }
]

resource readinessTest 'Microsoft.Insights/webtests@2022-06-15' = if (!empty(readinessAppName)) {
  name: '${namePrefix}-readiness'
  location: location
  tags: union(tags, { 'hidden-link:${applicationInsights.id}': 'Resource' })
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
      RequestUrl: 'https://${app!.properties.defaultHostName}/api/health/ready'
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

resource readiness 'Microsoft.Insights/metricAlerts@2026-01-01' = if (!empty(readinessAppName)) {
  name: '${namePrefix}-readiness'
  location: 'global'
  tags: tags
  properties: {
    description: 'Readiness fails from two places at least.'
    severity: 1
    enabled: true
    scopes: [readinessTest.id, applicationInsights.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: readinessTest.id
      componentId: applicationInsights.id
      failedLocationCount: 2
    }
    actions: empty(email) ? [] : [{ actionGroupId: recipients.id }]
  }
}
