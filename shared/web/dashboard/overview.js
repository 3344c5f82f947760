/** How the relay is: one sentence first, then counts, what needs a decision, deliveries, quota and backlog. */
import { address } from "./address.js";
import { adviceFor } from "./advice.js";
import * as api from "./api.js";
import { draw } from "./chart.js";
import { byId, element, reconcile, write } from "./elements.js";
import { headline } from "./headline.js";
import { icon } from "./icons.js";
import { showPauses } from "./pauses.js";
import { showVerification } from "./verification.js";
import { showWebhooks } from "./webhooks.js";
import { counted, duration, number, STATUSES } from "./words.js";

const SAMPLE = 100;
/** Readiness reads from Graph and the samples from the table: not at every look. */
const LOOKS_BETWEEN = 5;
/** @type {Checks} */
const CHECKS = { queue: "Queue", table: "Tables", identity: "Identity", graph: "Graph" };
/** @type {Sample} */
const NOTHING = { codes: {}, total: 0, more: false };

/** @type {{ checks: Checks, failures: Sample, waiting: Sample, pauses: Pause[], stamp: string | null, looks: number }} */
const known = { checks: {}, failures: NOTHING, waiting: NOTHING, pauses: [], stamp: null, looks: 0 };

/**
 * Look and show; `anew` looks at everything, however recently it did.
 * @param {boolean} anew
 */
export async function showOverview(anew) {
  const stats = await api.stats();
  const { byStatus } = stats.last24Hours;
  const stamp = `${byStatus.failed} ${byStatus.running}`;
  if (anew || known.looks % LOOKS_BETWEEN === 0 || stamp !== known.stamp) await lookCloser(byStatus);
  known.looks += 1;
  known.stamp = stamp;
  const said = headline({ stats, ...known });
  write(byId("headline"), said.title);
  write(byId("subline"), said.more);
  byId("overview").dataset.tone = said.tone;
  showTiles(byStatus, stats.last24Hours.byStatusDetail);
  showReasons(stats.last24Hours.byErrorCode);
  draw(stats.deliveries);
  showQuota(stats.quota);
  showBacklog(stats);
  showVerification(stats.verification);
  showWebhooks(stats.webhooks);
}

/** @param {Counts} byStatus */
async function lookCloser({ failed, running }) {
  const [ready, failures, waiting, pauses] = await Promise.all([
    api.readiness(),
    failed ? sample({ status: "failed", createdAfter: yesterday() }, (one) => one.replayedBy === null) : NOTHING,
    running ? sample({ statusDetail: "waiting" }, () => true) : NOTHING,
    api.pauses(),
  ]);
  Object.assign(known, { checks: ready.checks, failures, waiting, pauses: pauses.value });
  showChecks(ready.checks);
  showPauses(pauses.value);
}

/**
 * How many of the newest there are by error code: a bounded look, however many match.
 * @param {Filter} filter
 * @param {(update: ListedUpdate) => boolean} counts
 * @returns {Promise<Sample>}
 */
async function sample(filter, counts) {
  const { updates, next } = await api.page(filter, SAMPLE);
  /** @type {Counts} */
  const codes = {};
  const counted_ = updates.filter(counts);
  for (const { error } of counted_) codes[error?.code ?? "unknown"] = (codes[error?.code ?? "unknown"] ?? 0) + 1;
  return { codes, total: counted_.length, more: next !== null };
}

function yesterday() {
  return new Date(Date.now() - 86_400_000).toISOString();
}

/** @param {Checks} checks */
function showChecks(checks) {
  const entries = Object.entries(CHECKS).map(([name, said]) => {
    const state = checks[name] ?? "unknown";
    return { key: name, stamp: state, make: () => element("li", { "data-state": state }, `${said} `, element("b", {}, state)) };
  });
  reconcile(byId("checks"), entries);
}

/**
 * @param {Counts} byStatus
 * @param {Counts} byDetail
 */
function showTiles(byStatus, byDetail) {
  const entries = Object.entries(STATUSES).map(([status, said]) => {
    const count = byStatus[status] ?? 0;
    const more = status === "succeeded" && byDetail.superseded ? `${number(byDetail.superseded)} superseded` : "";
    return { key: status, stamp: `${count} ${more}`, make: () => tile(status, said, count, more) };
  });
  reconcile(byId("tiles"), entries);
}

/**
 * @param {string} status
 * @param {string} said
 * @param {number} count
 * @param {string} more
 */
function tile(status, said, count, more) {
  const link = element(
    "a", { href: address({ status, within: "24h" }), "data-focus": status, "data-zero": count === 0 },
    icon(status), element("span", { class: "count" }, number(count)), element("span", { class: "what" }, said),
    more && element("span", { class: "more" }, more),
  );
  return element("li", { class: `tile ${status}` }, link);
}

/** @param {Counts} byCode */
function showReasons(byCode) {
  const final = Object.entries(byCode).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  const waits = Object.entries(known.waiting.codes).sort(([, a], [, b]) => b - a);
  const entries = [
    ...final.map(([code, count]) => reason("failed", code, count, left(code))),
    ...waits.map(([code, count]) => reason("running", code, count, known.waiting.more ? "or more wait now" : "wait now")),
  ];
  reconcile(byId("reasons"), entries);
  byId("no-reasons").hidden = entries.length > 0;
}

/** @param {string} code */
function left(code) {
  const open = known.failures.codes[code] ?? 0;
  if (open === 0) return known.failures.more ? "" : "all replayed";
  return `${number(open)}${known.failures.more ? " or more" : ""} not replayed`;
}

/**
 * @param {string} status
 * @param {string} code
 * @param {number} count
 * @param {string} more
 * @returns {Entry}
 */
function reason(status, code, count, more) {
  const { title, steps } = adviceFor(code);
  const filter = status === "failed" ? { status, within: "24h" } : { statusDetail: "waiting" };
  const make = () => element(
    "li", { class: `reason ${status}` }, icon(status),
    element("div", {},
      element("p", { class: "title" }, element("strong", {}, title), ` ${number(count)} `, element("small", {}, more)),
      element("p", { class: "step" }, steps[0])),
    element("a", { href: address(filter), "data-focus": "show", "aria-label": `Show: ${title}` }, "Show"),
  );
  return { key: `${status} ${code}`, stamp: `${count} ${more}`, make };
}

/** @param {Quota} quota */
function showQuota({ writes, seconds, used, holding, holdUntilDateTime }) {
  const share = Math.min(100, Math.round((used / writes) * 100));
  const meter = byId("quota");
  meter.setAttribute("aria-valuenow", String(used));
  meter.setAttribute("aria-valuemax", String(writes));
  meter.setAttribute("aria-valuetext", `${used} of ${writes} writes in ${seconds} seconds`);
  /** @type {HTMLElement} */ (meter.firstElementChild).style.setProperty("width", `${share}%`);
  meter.dataset.tone = holding ? "failed" : share > 90 ? "running" : "succeeded";
  write(byId("quota-used"), `${number(used)} of ${number(writes)}`);
  const until = holdUntilDateTime ? ` for ${duration((Date.parse(holdUntilDateTime) - Date.now()) / 1000)}` : "";
  write(byId("quota-more"), holding ? `On hold${until}: Graph refuses or asked to wait.` : `Graph writes in the last ${seconds} seconds.`);
}

/** @param {Stats} stats */
function showBacklog({ queue, lanes, quota, deliveriesPerMinute }) {
  write(byId("queue-length"), counted(queue.length, "update") + (lanes?.bulk.length ? `, ${lanes.bulk.length} of them bulk` : ""));
  write(byId("queue-age"), queue.headAgeSeconds === null ? (queue.length ? "waits for its next try" : "nothing waits") : duration(queue.headAgeSeconds));
  write(byId("queue-end"), estimate(queue, (quota.writes / quota.seconds) * 60, deliveriesPerMinute));
  write(byId("rate"), `${number(Math.round(deliveriesPerMinute * 10) / 10)} a minute`);
}

/**
 * The queue's length over the smaller of what the quota allows and what was delivered of late.
 * @param {Queue} queue
 * @param {number} allowed
 * @param {number} delivered
 */
function estimate({ length, headAgeSeconds }, allowed, delivered) {
  if (length === 0) return "empty";
  if (headAgeSeconds === null) return "after the next try";
  if (delivered === 0) return `at least ${duration((length / allowed) * 60)}, once deliveries go on`;
  return `about ${duration((length / Math.min(allowed, delivered)) * 60)}`;
}
