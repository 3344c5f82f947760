/** The audit: what people and systems did to the relay, newest first, and its export. */
import { address, addressOf, view } from "./address.js";
import * as api from "./api.js";
import { say } from "./dialogs.js";
import { byId, element, foreign, moment, reconcile, write } from "./elements.js";
import { counted } from "./words.js";

const TOP = 50;
const EXPORT_TOP = 1000;
/** In the address: records of any action. */
const ANY = "all";
/** @type {Record<string, string>} */
const ACTIONS = { cancel: "Cancel", replay: "Replay", erase: "Erase a person's data", probe: "Try the PATCH (doctor)" };
/** @type {Record<string, string>} */
const RESULTS = { started: "Begun, end not recorded", succeeded: "Succeeded", refused: "Refused", notFound: "Not found", failed: "Failed" };

/**
 * Look and show.
 * @param {View} wanted
 */
export async function showAudit(wanted) {
  const { records, next } = await api.audit(filterOf(wanted), TOP, wanted.continuation);
  if (address(view()) !== address(wanted)) return;
  fill(wanted.audit ?? ANY);
  reconcile(byId("audit-rows"), records.map((record) => ({ key: record.id, stamp: JSON.stringify(record), make: () => row(record) })));
  byId("audit-table").hidden = records.length === 0;
  byId("audit-empty").hidden = records.length > 0;
  byId("audit-newest").hidden = !wanted.continuation;
  byId("audit-newest").href = address({ audit: wanted.audit });
  byId("audit-older").hidden = next === null;
  byId("audit-older").href = address({ audit: wanted.audit, continuation: next });
  write(byId("audit-shown"), records.length ? counted(records.length, "record") : "");
}

/** Listen to the filter and the export. */
export function followAudit() {
  const choice = byId("audit-action");
  for (const [action, said] of Object.entries(ACTIONS)) choice.append(element("option", { value: action }, said));
  choice.addEventListener("change", () => { location.hash = address({ audit: choice.value }); });
  byId("audit-export").addEventListener("click", exportThem);
}

/** @param {string} action */
function fill(action) {
  const choice = byId("audit-action");
  if (choice !== document.activeElement) choice.value = action;
}

/**
 * @param {View} wanted
 * @returns {Filter}
 */
function filterOf({ audit }) {
  return audit && audit !== ANY ? { action: audit } : {};
}

/** @param {AuditRecord} record */
function row({ createdDateTime, action, by, target, result }) {
  /**
   * @param {string} name
   * @param {Child[]} children
   */
  const cell = (name, ...children) => element("td", { class: name, role: "cell" }, ...children);
  return element("tr", { role: "row" },
    cell("when", moment(createdDateTime)),
    cell("what", ACTIONS[action] ?? action),
    cell("result", RESULTS[result] ?? result),
    cell("from", by === null ? "A function key" : foreign(by)),
    cell("who", about(action, target)));
}

/**
 * @param {string} action
 * @param {string | null} target
 */
function about(action, target) {
  if (target === null) return "";
  return action === "cancel" || action === "replay" ? element("a", { href: addressOf(target) }, foreign(target)) : foreign(target);
}

/** All records of the chosen action as a file, one JSON object a line. */
async function exportThem() {
  const button = byId("audit-export");
  button.disabled = true;
  try {
    const lines = await linesOf(filterOf(view()));
    const file = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
    element("a", { href: file, download: `relay-audit-${new Date().toISOString().slice(0, 10)}.jsonl` }).click();
    setTimeout(() => URL.revokeObjectURL(file), 60_000);
    say(`Exported ${counted(lines.length, "record")}.`);
  } catch (error) {
    say(/** @type {Error} */ (error).message);
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {Filter} filter
 * @returns {Promise<string[]>}
 */
async function linesOf(filter) {
  /** @type {string[]} */
  const lines = [];
  /** @type {string | null} */
  let next = null;
  do {
    const page = await api.audit(filter, EXPORT_TOP, next);
    lines.push(...page.records.map((record) => `${JSON.stringify(record)}\n`));
    next = page.next;
  } while (next !== null);
  return lines;
}
