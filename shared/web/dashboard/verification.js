/** Whether Graph still showed what was delivered, once its lists were read back. */
import { byId, element, moment, write } from "./elements.js";
import { number } from "./words.js";

/** @type {Record<Verification["state"], string>} */
const MEANINGS = {
  confirmed: "Graph still showed these values",
  overwritten: "Graph showed other values: Intune has recalculated them",
  unknown: "Whether Graph still showed these values could not be read",
};

/** @param {Counts} counts */
export function showVerification({ confirmed = 0, overwritten = 0, unknown = 0 }) {
  const checked = confirmed + overwritten;
  const missed = unknown ? ` ${number(unknown)} could not be verified.` : "";
  const text = overwritten
    ? `Intune recalculated ${number(overwritten)} of ${number(checked)} values in the last 24 hours.`
    : `Graph still showed all ${number(checked)} values that were verified in the last 24 hours.`;
  write(byId("verification-text"), text + missed);
  write(byId("verification-step"), overwritten ? "Compare an overwritten update with the Intune admin center: to send it again does not help." : "");
  byId("verification").hidden = checked + unknown === 0;
}

/**
 * The sentence of one update; null where it was not verified.
 * @param {Update} update
 */
export function verified({ verification }) {
  if (!verification) return null;
  return element("p", { class: "minor verification" }, `${MEANINGS[verification.state]}, `, moment(verification.checkedDateTime), ".");
}
