/** The dashboard: what the address names is looked at again and again, and shown. */
import { followActions, replayMatching } from "./actions.js";
import { address, view } from "./address.js";
import { key, KeyNeeded } from "./api.js";
import { followAudit, showAudit } from "./audit.js";
import { askForKey, followDialogs } from "./dialogs.js";
import { byId, tick, write } from "./elements.js";
import { followFilters, showFilters } from "./filters.js";
import { showList, turnPage } from "./list.js";
import { keepLooking } from "./live.js";
import { showOverview } from "./overview.js";
import * as session from "./session.js";
import { showUpdate } from "./update.js";
import { duration } from "./words.js";

let anew = true;
/** @type {string | null | undefined} */
let shown = null;

const look = keepLooking(refresh, tell);

async function refresh() {
  const wanted = view();
  const all = anew;
  anew = false;
  await session.learn();
  await showView(wanted, all);
  document.body.setAttribute("aria-busy", "false");
  if (shown !== wanted.update && view().update === wanted.update) arrive(wanted.update);
  tick();
}

/**
 * @param {View} wanted
 * @param {boolean} all
 */
async function showView(wanted, all) {
  const { update } = wanted;
  if (update) await showUpdate(update, () => view().update === update);
  else if (!session.mayRead()) return;
  else if (wanted.audit) await showAudit(wanted);
  else await Promise.all([showOverview(all), showList(wanted)]);
}

/**
 * Tell where one has come to: the focus moves when an update is opened or left, never by a refresh.
 * @param {string | null | undefined} update
 */
function arrive(update) {
  const first = shown === null;
  shown = update;
  if (update) byId("update").querySelector("h1")?.focus({ preventScroll: true });
  else if (!first) byId("headline").focus({ preventScroll: true });
  document.title = update ? "Update · Compliance Status Relay" : "Compliance Status Relay";
}

/**
 * @param {Error | null} error
 * @param {number | null} seconds
 */
function tell(error, seconds) {
  const banner = byId("banner");
  banner.hidden = error === null;
  byId("live").dataset.state = error === null ? "live" : "down";
  write(byId("live"), error === null ? "Live" : "Not live");
  byId("forget").hidden = !key.given();
  if (error === null) return;
  anew = true;
  const wants = error instanceof KeyNeeded;
  const wantsKey = wants && session.usesKeys();
  const when = `What you see may be out of date; tried again in ${duration(seconds ?? 0)}.`;
  write(byId("banner-said"), wantsKey ? error.message : wants ? "You are not signed in." : `The relay does not answer: ${error.message} ${when}`);
  write(byId("again"), wantsKey ? "Enter the key" : wants ? "Sign in" : "Try now");
  byId("again").dataset.signIn = wants && !wantsKey ? "1" : "";
  if (wantsKey) askForKey(lookAnew);
  else if (wants) session.forget();
}

function lookAnew() {
  anew = true;
  look();
}

function go() {
  const wanted = view();
  byId("home").hidden = Boolean(wanted.update || wanted.audit);
  byId("records").hidden = Boolean(wanted.update) || !wanted.audit;
  byId("one").hidden = !wanted.update;
  byId("back").href = address({ ...wanted, update: undefined });
  if (wanted.update !== byId("one").dataset.id) byId("update").replaceChildren();
  byId("one").dataset.id = wanted.update ?? "";
  showFilters(wanted);
  look();
}

followActions(lookAnew);
followAudit();
followDialogs();
followFilters();
addEventListener("hashchange", go);
byId("overview").addEventListener("click", (event) => event.target instanceof Element && event.target.closest("a") && byId("updates").scrollIntoView());
byId("older").addEventListener("click", () => turnPage(true));
byId("newer").addEventListener("click", () => turnPage(false));
byId("replay-matching").addEventListener("click", replayMatching);
byId("again").addEventListener("click", () => (byId("again").dataset.signIn ? session.signIn() : lookAnew()));
byId("forget").addEventListener("click", () => {
  key.forget();
  lookAnew();
});
byId("skip").addEventListener("click", () => byId("main").focus());
go();
