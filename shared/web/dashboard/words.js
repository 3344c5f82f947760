/** Numbers, times and statuses in plain words. */

/**
 * How each status is said, by the API's `status`.
 * @type {Record<Status, string>}
 */
export const STATUSES = {
  failed: "Failed",
  running: "Waiting",
  notStarted: "Queued",
  succeeded: "Succeeded",
  canceled: "Canceled",
};

/**
 * What a `statusDetail` (or a status without one) means for whoever reads it.
 * @type {Record<string, [string, string]>}
 */
export const MEANINGS = {
  queued: ["Queued", "It waits for its turn and is sent by itself."],
  held: ["Held", "A pause keeps it from being sent. It is sent when the pause ends."],
  waiting: ["Waiting", "It was tried, and will be tried again by itself."],
  delivered: ["Delivered", "Microsoft Graph has confirmed these values."],
  superseded: ["Superseded", "Newer values of the same user status stand in Graph, so this one needed no call."],
  canceled: ["Canceled", "It was taken back before it was sent."],
  failed: ["Failed", "It will not be sent unless you replay it."],
};

const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const SHORT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
/** @type {[number, string][]} */
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/**
 * 1,234; from a hundred thousand on 123.4K.
 * @param {number} value
 */
export function number(value) {
  return value < 100_000 ? NUMBER.format(value) : COMPACT.format(value);
}

/**
 * "1 update", "2 updates".
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function counted(count, one, many = `${one}s`) {
  return `${NUMBER.format(count)} ${count === 1 ? one : many}`;
}

/**
 * Seconds in its two largest units: "2 h 5 min", "40 s".
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const at = SPANS.findIndex(([size]) => whole >= size);
  if (at === -1) return "0 s";
  const [size, unit] = SPANS[at];
  const rest = SPANS[at + 1];
  const more = rest ? Math.floor((whole % size) / rest[0]) : 0;
  return `${Math.floor(whole / size)} ${unit}${more ? ` ${more} ${rest[1]}` : ""}`;
}

/**
 * Milliseconds as a person says them.
 * @param {number} count
 */
export function milliseconds(count) {
  return count < 1000 ? `${count} ms` : `${(count / 1000).toFixed(1)} s`;
}

/**
 * "3 min ago", "in 20 s", and the date when it is more than a day away.
 * @param {string} iso
 */
export function ago(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  const distance = Math.abs(seconds);
  if (!Number.isFinite(seconds)) return String(iso);
  if (distance > 86400) return SHORT.format(Date.parse(iso));
  if (seconds >= 0 && distance < 5) return "just now";
  const [size, unit] = SPANS.find(([span]) => distance >= span) ?? [1, "s"];
  const said = `${Math.max(1, Math.floor(distance / size))} ${unit}`;
  return seconds >= 0 ? `${said} ago` : `in ${said}`;
}

/**
 * A moment in full.
 * @param {string} iso
 */
export function exactly(iso) {
  return Number.isFinite(Date.parse(iso)) ? EXACT.format(Date.parse(iso)) : String(iso);
}

/**
 * A moment's time of day.
 * @param {string} iso
 */
export function clock(iso) {
  return CLOCK.format(Date.parse(iso));
}

/**
 * Whom an update is about, as well as it tells.
 * @param {ListedUpdate} update
 */
export function whose(update) {
  const reported = update.userStatus ?? {};
  const name = reported.userDisplayName || reported.userPrincipalName || update.userPrincipalName;
  const nameless = update.error?.code === "invalidMessage" ? "Unreadable message" : "Erased or unnamed user";
  return name || update.deviceComplianceUserStatusId || nameless;
}

/**
 * What an update reports.
 * @param {ReportedStatus} [reported]
 */
export function report({ status, devicesCount } = {}) {
  const devices = devicesCount === undefined ? null : counted(devicesCount, "device");
  return [status, devices].filter(Boolean).join(", ");
}
