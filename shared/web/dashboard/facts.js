/** An update's values, and the ids that support asks for, each to be copied. */
import { say } from "./dialogs.js";
import { element, foreign } from "./elements.js";
import { icon } from "./icons.js";

/** @type {Record<string, string>} */
const NAMES = {
  userDisplayName: "Display name", userPrincipalName: "Principal name", status: "Status", devicesCount: "Devices",
  lastReportedDateTime: "Reported",
};

/**
 * What it reports, about which user status, and what Graph returned.
 * @param {Update} update
 */
export function values(update) {
  const reported = Object.entries(update.userStatus ?? {}).map(([name, value]) => [NAMES[name] ?? name, value]);
  const about = [["Policy", update.deviceCompliancePolicyId], ["User status", update.deviceComplianceUserStatusId ?? update.userPrincipalName]];
  return element("section", { class: "card" },
    element("h2", {}, "What it reports"),
    element("dl", {}, [...reported, ...about].filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => fact(name, value))),
    update.result && element("details", { "data-focus": "result" }, element("summary", {}, "What Graph returned"), json(update.result)));
}

/**
 * @param {string} name
 * @param {string | number} value
 */
function fact(name, value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, foreign(value)));
}

/** @param {object} value */
function json(value) {
  return element("pre", { tabindex: "0", dir: "ltr" }, JSON.stringify(value, null, 2));
}

/**
 * Every id that finds this update in somebody's logs.
 * @param {Update} update
 */
export function supportIds(update) {
  const ids = idsOf(update);
  const all = ids.map(([name, id]) => `${name}: ${id}`).join("\n");
  return element("section", { class: "card" },
    element("h2", {}, "For support"),
    element("p", { class: "minor" }, "Microsoft's support finds the call by these ids."),
    element("dl", { class: "ids" }, ids.map(([name, id]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, foreign(id, { class: "id" }), copier(`Copy ${name.toLowerCase()}`, id, null))))),
    element("p", { class: "buttons" }, copier("Copy all for support", all, "Copy all")));
}

/**
 * @param {Update} update
 * @returns {[string, string][]}
 */
function idsOf({ id, attempts, error, deviceCompliancePolicyId, deviceComplianceUserStatusId, createdDateTime }) {
  /** @type {Partial<Attempt>} */
  const last = attempts.at(-1) ?? {};
  const inner = error?.innerError ?? {};
  /** @type {[string, string | null | undefined][]} */
  const ids = [
    ["Update id", id],
    ["Request id", inner.requestId ?? last.requestId],
    ["Client request id", inner.clientRequestId ?? last.clientRequestId],
    ["Activity id", inner.activityId],
    ["Graph's date", inner.date],
    ["Last attempt", last.startedDateTime],
    ["Accepted", createdDateTime],
    ["Policy id", deviceCompliancePolicyId],
    ["User status id", deviceComplianceUserStatusId],
  ];
  return ids.flatMap(([name, value]) => (value ? [[name, value]] : []));
}

/**
 * @param {string} label
 * @param {string} text
 * @param {string | null} shown
 */
function copier(label, text, shown) {
  /** @param {Event} event */
  const copy = async (event) => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {
      // No leave, or no secure context: select it, so that the keyboard copies it.
      const button = /** @type {HTMLElement} */ (event.target);
      const near = button.closest("dd") ?? button.closest("section")?.querySelector("dl");
      if (near) getSelection()?.selectAllChildren(near);
      say("Press Ctrl+C to copy what is selected.");
    }
  };
  return element("button", { type: "button", class: shown ? null : "quiet", "aria-label": label, title: label, "data-focus": label, on: { click: copy } }, icon("copy"), shown);
}

/**
 * A message that could not be read, as it came.
 * @param {Update} update
 */
export function raw({ rawMessage, rawMessageEncoding }) {
  return element("section", { class: "card" },
    element("h2", {}, "The message as it came"),
    rawMessageEncoding && element("p", { class: "minor" }, `It is no text; shown in ${rawMessageEncoding}.`),
    element("pre", { tabindex: "0", dir: "ltr" }, rawMessage));
}

