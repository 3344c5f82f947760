/** The list: filters, a page of updates, and the way to older and newer ones. It never holds more than one page. */
import { address, addressOf, filterOf, view } from "./address.js";
import { adviceFor } from "./advice.js";
import * as api from "./api.js";
import { byId, element, foreign, moment, reconcile, write } from "./elements.js";
import { icon } from "./icons.js";
import { counted, MEANINGS, report, STATUSES, whose } from "./words.js";

const TOP = 25;
/** A page of the API may hold fewer than asked for and still lead on. */
const MOST_CALLS = 4;

/**
 * The continuations of the pages that were passed, so that one can go back.
 * @type {{ of: string, pages: (string | null | undefined)[], next: string | null }}
 */
const trail = { of: "", pages: [undefined], next: null };

/**
 * Look and show.
 * @param {View} wanted
 */
export async function showList(wanted) {
  let found;
  try {
    found = await pageOf(filterOf(wanted), wanted.continuation);
  } catch (error) {
    if (!(error instanceof api.Refused && error.status === 400)) throw error;
    return showRefusal(error.message);
  }
  if (address(view()) !== address(wanted)) return;
  showRows(found.updates);
  showWay(wanted, found);
}

/**
 * @param {Filter} filter
 * @param {string | null | undefined} continuation
 * @returns {Promise<Page>}
 */
async function pageOf(filter, continuation) {
  /** @type {ListedUpdate[]} */
  const updates = [];
  let next = continuation ?? null;
  for (let call = 0; call < MOST_CALLS; call += 1) {
    const page = await api.page(filter, TOP - updates.length, next);
    updates.push(...page.updates);
    next = page.next;
    if (next === null || updates.length >= TOP) break;
  }
  return { updates, next };
}

/** @param {string} said */
function showRefusal(said) {
  reconcile(byId("rows"), []);
  byId("empty").hidden = false;
  write(byId("empty"), `The relay does not take this filter. ${said}`);
  write(byId("shown"), "");
  byId("older").hidden = byId("newer").hidden = true;
}

/** @param {ListedUpdate[]} updates */
function showRows(updates) {
  reconcile(byId("rows"), updates.map((update) => ({
    key: update.id, stamp: JSON.stringify(update) + addressOf(update.id), make: () => row(update),
  })));
  byId("table").hidden = updates.length === 0;
}

/** @param {ListedUpdate} update */
function row(update) {
  const link = element("a", { href: addressOf(update.id), "data-focus": "open" }, foreign(whose(update)));
  const about = update.userStatus?.userPrincipalName || update.deviceComplianceUserStatusId;
  /**
   * @param {string} name
   * @param {Child[]} children
   */
  const cell = (name, ...children) => element("td", { class: name, role: "cell" }, ...children);
  return element("tr", { role: "row", class: update.status },
    cell("state", badge(update)),
    cell("who", link, about && about !== whose(update) ? foreign(about, { class: "minor" }) : null),
    cell("what", report(update.userStatus ?? {})),
    cell("why", ...why(update)),
    cell("from", update.source === null ? "" : foreign(update.source), update.priority === "bulk" ? element("small", {}, "bulk") : null),
    cell("when", moment(update.createdDateTime)));
}

/**
 * A status as a drawing and a word.
 * @param {ListedUpdate} update
 */
export function badge({ status, statusDetail }) {
  const said = statusDetail ? MEANINGS[statusDetail][0] : STATUSES[status];
  return element("span", { class: `badge ${status}`, "data-detail": statusDetail }, icon(status), said);
}

/**
 * @param {ListedUpdate} update
 * @returns {Child[]}
 */
function why({ error, nextAttemptDateTime, replayedBy, replayOf }) {
  const notes = [
    nextAttemptDateTime && element("small", {}, "again ", moment(nextAttemptDateTime)),
    replayedBy && element("small", {}, "replayed"),
    replayOf && element("small", {}, "a replay"),
  ];
  return [error && `${adviceFor(error.code).title} `, ...notes];
}

/**
 * @param {View} wanted
 * @param {Page} page
 */
function showWay(wanted, { updates, next }) {
  const of = address({ ...wanted, continuation: undefined, update: undefined });
  if (of !== trail.of) Object.assign(trail, { of, pages: [undefined] });
  if (!trail.pages.includes(wanted.continuation)) trail.pages = [undefined, wanted.continuation];
  trail.next = next;
  const at = trail.pages.indexOf(wanted.continuation);
  byId("newer").hidden = at === 0;
  byId("older").hidden = next === null;
  byId("empty").hidden = updates.length > 0;
  write(byId("shown"), updates.length ? `Page ${at + 1}, ${counted(updates.length, "update")}` : "");
  write(byId("empty"), nothing(of, next));
}

/**
 * @param {string} of
 * @param {string | null} next
 */
function nothing(of, next) {
  if (next !== null) return "None among those looked through so far. Older ones may match: press Older.";
  return of === "#" ? "No updates yet. As soon as one is handed over, it shows here." : "No update matches.";
}

/**
 * To the next older page, or back to the one before.
 * @param {boolean} older
 */
export function turnPage(older) {
  const wanted = view();
  const at = Math.max(0, trail.pages.indexOf(wanted.continuation));
  if (older) trail.pages = [...trail.pages.slice(0, at + 1), trail.next];
  location.hash = address({ ...wanted, continuation: trail.pages[older ? at + 1 : at - 1] });
}
