/** Webhook sources whose requests were refused, each in one sentence: their senders seldom read the answers. */
import { byId, element, foreign, reconcile } from "./elements.js";
import { clock, number } from "./words.js";

/**
 * What each reason means for whoever runs the sender.
 * @type {Record<string, string>}
 */
const REASONS = {
  signature: "the signature or secret does not fit",
  timestamp: "the request was too old, or its clock is wrong",
  unknownSource: "no source of that name is configured",
  invalidMessage: "an item was no valid message; its outcome says why",
};

/** @param {Record<string, WebhookRequests>} webhooks */
export function showWebhooks(webhooks) {
  const entries = Object.entries(webhooks).filter(([, { refused }]) => refused > 0).map(([source, requests]) => ({
    key: source,
    stamp: JSON.stringify(requests),
    make: () => element("li", {}, foreign(source === "*" ? "Unknown sources" : source), sentence(requests)),
  }));
  reconcile(byId("webhook-refusals"), entries);
  byId("webhooks").hidden = entries.length === 0;
}

/** @param {WebhookRequests} requests */
function sentence({ requests, refused, lastRefusedDateTime, lastRefusedReason }) {
  const reason = REASONS[lastRefusedReason ?? ""] ?? lastRefusedReason;
  const last = lastRefusedDateTime ? `, the last at ${clock(lastRefusedDateTime)}: ${reason}` : "";
  const verb = refused === 1 ? "was" : "were";
  return `: ${number(refused)} of the last ${number(requests)} requests ${verb} refused${last}.`;
}
