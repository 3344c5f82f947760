/** The API's own rules, as Python states them (shared/core): a test compares the two. */

/** The list's filters. */
export const FILTERS = [
  "status",
  "statusDetail",
  "errorCode",
  "priority",
  "deviceCompliancePolicyId",
  "deviceComplianceUserStatusId",
  "source",
  "idempotencyKey",
  "createdAfter",
  "createdBefore",
];
/** The most updates that one request replays. */
export const MAX_REPLAYS = 1000;
