/** An update's attempts as a timeline, oldest first. */
import { element, foreign, moment } from "./elements.js";
import { icon } from "./icons.js";
import { counted, duration, MEANINGS, milliseconds } from "./words.js";

/**
 * The section.
 * @param {Update} update
 */
export function timeline(update) {
  const { attempts, attemptCount, nextAttemptDateTime, status, statusDetail, lastActionDateTime, createdDateTime } = update;
  const left = attemptCount - attempts.length;
  const final = !["notStarted", "running"].includes(status);
  const entries = [
    entry("notStarted", "Accepted", createdDateTime),
    left > 0 ? element("li", { class: "gap" }, `${counted(left, "earlier attempt")} not kept`) : null,
    ...attempts.map((attempt) => tried(attempt)),
    nextAttemptDateTime ? entry("running", "Next try", nextAttemptDateTime) : null,
    final ? entry(status, MEANINGS[statusDetail ?? status][0], lastActionDateTime) : null,
  ];
  return element("section", { class: "card" },
    element("h2", {}, "What happened"),
    element("ol", { class: "timeline" }, entries));
}

/**
 * @param {string} status
 * @param {string} said
 * @param {string} iso
 * @param {Child[]} more
 */
function entry(status, said, iso, ...more) {
  return element("li", { class: status }, icon(status), element("div", {}, element("b", {}, said), " ", moment(iso), ...more));
}

/** @param {Attempt} attempt */
function tried({ startedDateTime, durationMilliseconds, statusCode, code, retryAfterSeconds }) {
  const well = statusCode !== null && statusCode < 300;
  const answer = statusCode === null ? "No answer from Graph" : `Graph answered ${statusCode}`;
  const asked = retryAfterSeconds === null ? "" : `, asked to wait ${duration(retryAfterSeconds)}`;
  return entry(well ? "succeeded" : "failed", answer, startedDateTime,
    element("p", { class: "minor" }, `after ${milliseconds(durationMilliseconds)}${asked}`, code ? [" · ", foreign(code)] : null));
}
