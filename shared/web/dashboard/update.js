/** One update: what became of it, why, what to do, its attempts, and the ids that support asks for. */
import { addressOf } from "./address.js";
import { canCancel, canReplay, cancelIt, replayIt } from "./actions.js";
import { adviceFor } from "./advice.js";
import * as api from "./api.js";
import { byId, element, foreign, moment, reconcile } from "./elements.js";
import { raw, supportIds, values } from "./facts.js";
import { icon } from "./icons.js";
import { badge } from "./list.js";
import { timeline } from "./timeline.js";
import { verified } from "./verification.js";
import { MEANINGS, whose } from "./words.js";

/**
 * Why there is nothing to show, by the API's status.
 * @type {Record<number, [string, string]>}
 */
const MISSING = {
  403: ["Not yours", "Your role lets you read only the updates that you have sent."],
  404: ["Not found", "There is no such update. It may be older than the relay keeps them."],
};

/**
 * Look and show.
 * @param {string} id
 * @param {() => boolean} still
 */
export async function showUpdate(id, still) {
  let update;
  try {
    update = await api.update(id);
  } catch (error) {
    if (!(error instanceof api.Refused && error.status in MISSING)) throw error;
    if (still()) reconcile(byId("update"), [missing(id, error.status)]);
    return;
  }
  if (still()) reconcile(byId("update"), parts(update));
}

/**
 * @param {string} id
 * @param {number} status
 * @returns {Entry}
 */
function missing(id, status) {
  const [title, said] = MISSING[status];
  return {
    key: "missing", stamp: `${id} ${status}`,
    make: () => element("section", { class: "card" }, element("h1", { tabindex: "-1" }, title), element("p", {}, said), foreign(id, { class: "id" })),
  };
}

/** @param {Update} update */
function parts(update) {
  return [
    part("head", head, update, ["status", "statusDetail", "userStatus", "source", "createdDateTime", "submittedBy", "replayOf", "replayedBy", "supersededBy", "verification"]),
    part("verdict", verdict, update, ["status", "statusDetail", "error", "nextAttemptDateTime", "replayedBy", "rawMessage"]),
    part("timeline", timeline, update, ["status", "statusDetail", "attempts", "attemptCount", "nextAttemptDateTime", "lastActionDateTime"]),
    part("values", values, update, ["userStatus", "result", "deviceCompliancePolicyId", "deviceComplianceUserStatusId"]),
    part("ids", supportIds, update, ["attempts", "error"]),
    part("raw", raw, update, ["rawMessage"]),
  ].filter((one) => one !== null);
}

/**
 * @param {string} key
 * @param {(update: Update) => HTMLElement} make
 * @param {Update} update
 * @param {(keyof Update)[]} members
 * @returns {Entry | null}
 */
function part(key, make, update, members) {
  if (key === "raw" && update.rawMessage === undefined) return null;
  const stamp = JSON.stringify([update.id, ...members.map((name) => update[name])]);
  return { key, stamp, make: () => make(update) };
}

/** @param {Update} update */
function head(update) {
  return element("header", { class: "head" },
    element("h1", { tabindex: "-1", "data-focus": "title" }, foreign(whose(update))),
    badge(update),
    element("p", { class: "minor" }, "Accepted ", moment(update.createdDateTime),
      update.source ? [" from ", foreign(update.source)] : null,
      update.submittedBy ? [" by ", foreign(update.submittedBy)] : null),
    verified(update), relatives(update));
}

/** @param {Update} update */
function relatives({ replayOf, replayedBy, supersededBy }) {
  /** @type {[string | null, string][]} */
  const named = [[replayOf, "This is a replay of an earlier update"], [replayedBy, "It was replayed: see the new update"], [supersededBy, "See the update that stands in Graph"]];
  const links = named.flatMap(([id, said]) =>
    id ? [element("li", {}, element("a", { href: addressOf(id), "data-focus": id }, said, " ", icon("arrow")))] : []);
  return links.length ? element("ul", { class: "relatives" }, links) : null;
}

/** @param {Update} update */
function verdict(update) {
  const { error, status, statusDetail, nextAttemptDateTime } = update;
  const buttons = element("p", { class: "buttons" },
    canReplay(update) && element("button", { class: "primary", type: "button", "data-focus": "replay", on: { click: () => replayIt(update) } }, icon("replay"), "Replay"),
    canCancel(update) && element("button", { type: "button", "data-focus": "cancel", on: { click: () => cancelIt(update) } }, "Cancel this update"));
  const again = nextAttemptDateTime && element("p", {}, "Next try ", moment(nextAttemptDateTime), ".");
  if (!error) {
    const [, means] = MEANINGS[statusDetail ?? status];
    return element("section", { class: `card verdict ${status}` }, element("h2", {}, "What became of it"), element("p", {}, means), again, buttons);
  }
  const { title, means, steps } = adviceFor(error.code);
  return element("section", { class: `card verdict ${status}` },
    element("h2", {}, icon(status), title),
    element("p", {}, means), again,
    element("h3", {}, "What to do"), element("ol", {}, steps.map((step) => element("li", {}, step))),
    buttons, ...words(error));
}

/** @param {UpdateError} error */
function words({ code, message, errors = [], innerError }) {
  const graphs = Boolean(innerError?.statusCode);
  const said = innerError && [innerError.statusCode && `HTTP ${innerError.statusCode}`, innerError.code].filter(Boolean).join(", ");
  return [
    element("h3", {}, graphs ? "Graph's own words" : "In the relay's words"),
    element("blockquote", {}, foreign(message)),
    element("p", { class: "minor" }, "Code ", element("code", {}, foreign(code)), said ? [" · ", foreign(said)] : null),
    errors.length > 0 && element("ul", { class: "faults" }, errors.map((fault) =>
      element("li", {}, element("code", {}, foreign(fault.pointer || "/")), " ", foreign(fault.detail)))),
  ];
}
