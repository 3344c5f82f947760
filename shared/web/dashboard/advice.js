/**
 * What to do about it, by error code: a title, what it means, and the next steps, for whoever runs Intune and reads no
 * code. A test holds the codes to those of the relay.
 */

/** @type {Record<string, { title: string, means: string, steps: string[] }>} */
export const ADVICE = {
  invalidMessage: {
    title: "The message could not be read",
    means: "The sender handed over something that is not a valid update, so nothing was sent.",
    steps: [
      "The update's page says which parts are wrong.",
      "Ask the owner of the source to correct them and to send the report again. It cannot be replayed from here.",
    ],
  },
  graphRejected: {
    title: "Graph refused it",
    means: "Microsoft Graph looked at these values and said no for good. They are not tried again.",
    steps: [
      "Read Graph's own words. 404: the policy or the user status does not exist (any more). 400: a value is not taken.",
      "If the cause is in Intune, mend it there and press Replay.",
      "If the values are wrong, ask the owner of the source to send correct ones.",
    ],
  },
  operationNotSupported: {
    title: "Intune does not support this write",
    means: "Intune answers that nothing stands behind this operation: your tenant's service cannot change user statuses.",
    steps: [
      "Open a support case with Microsoft with the support ids of one such update.",
      "Replay only after Microsoft says that it works: the answer will be the same until then.",
    ],
  },
  deadlineExceeded: {
    title: "It could not be delivered in time",
    means: "It was tried again and again until its deadline (24 hours, if nobody set another one).",
    steps: ["The update's page names the last fault: see that it is over.", "Then press Replay."],
  },
  poisoned: {
    title: "The relay itself failed on it",
    means: "The relay broke off several times with this message. That is a fault of the relay or of its storage.",
    steps: [
      "Tell whoever runs the relay; the update's id finds the reason in its logs.",
      "Press Replay once that is mended.",
    ],
  },
  idempotencyKeyConflict: {
    title: "Its key was used for other values",
    means: "The same source used the same idempotency key for another report. The first one counts, this one was not sent.",
    steps: ["Ask the owner of the source to use a new key for every new report.", "There is nothing to press here."],
  },
  userStatusNotFound: {
    title: "No such user status",
    means: "The policy has no user status for this principal name. It was looked for during ten minutes.",
    steps: [
      "Check in Intune that the policy is assigned to the user, and that the name is spelled as in Entra.",
      "Then press Replay.",
    ],
  },
  userStatusAmbiguous: {
    title: "More than one user status fits",
    means: "The policy has several user statuses for this principal name, and the relay does not guess.",
    steps: ["Ask the owner of the source to give the id (deviceComplianceUserStatusId) instead of the name."],
  },
  identityUnavailable: {
    title: "No token for Graph",
    means: "The relay's managed identity gives no token at the moment.",
    steps: [
      "Mostly this passes within minutes, and everything is sent by itself.",
      "If it lasts: Azure portal, the Function App, Identity: is it on? Then restart the app.",
    ],
  },
  graphUnavailable: {
    title: "Graph does not answer",
    means: "Microsoft Graph is away, slow, or answers nonsense.",
    steps: [
      "There is nothing to press: it is tried again by itself.",
      "If it lasts, look at the service health in the Microsoft 365 admin centre.",
      "If the message says that something else answered, ask whoever runs your network: a firewall or proxy is in the way.",
    ],
  },
  throttled: {
    title: "Graph asks to slow down",
    means: "Microsoft Graph limits how many writes it takes, and the relay waits as long as it was told.",
    steps: [
      "There is nothing to press: it is tried again by itself.",
      "If it happens every day, another app shares the limit: whoever runs the relay can lower GRAPH_WRITE_QUOTA.",
    ],
  },
  notAuthorized: {
    title: "The permission is missing",
    means: "Microsoft Graph refuses the relay's identity.",
    steps: [
      "Give the relay's managed identity the Graph application permission DeviceManagementConfiguration.ReadWrite.All.",
      "It can take hours until that takes effect. Everything that waits is then sent by itself, without a replay.",
    ],
  },
  approvalRequired: {
    title: "An administrator has to allow the writes",
    means: "Multi Admin Approval in Intune stops what the relay writes until somebody approves it.",
    steps: [
      "Intune admin centre, Tenant administration, Multi Admin Approval: open the access policy for compliance policies.",
      "Under Exclusions add the relay by the client id of its identity. Everything that waits is then sent by itself.",
    ],
  },
};

const UNKNOWN = {
  title: "Something this page does not know",
  means: "The relay gave a reason that this page has no words for.",
  steps: ["Read its message, and tell whoever runs the relay."],
};

/**
 * The advice for a code.
 * @param {string} code
 */
export function adviceFor(code) {
  return Object.hasOwn(ADVICE, code) ? ADVICE[code] : UNKNOWN;
}
