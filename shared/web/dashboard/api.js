/**
 * The relay's API as the dashboard calls it: below its own origin, with the function key of this tab, within a time.
 * Addresses are relative to this module, so that it works behind any gateway.
 */

const ROOT = new URL("../", import.meta.url);
const KEY = "relayFunctionKey";
/** No page of another origin can send this header: the proof that a call with a cookie is the dashboard's own. */
const PROOF = "X-Relay-Request";
const LONGEST_MILLISECONDS = 30_000;

/** The API wants to know who calls: a function key, or another one, or someone who signs in. */
export class KeyNeeded extends Error {}

/** The API said no; `status` is HTTP's, the message its own words. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} said
   */
  constructor(status, said) {
    super(said);
    this.status = status;
  }
}

/** No answer, or none of ours. */
export class Unreachable extends Error {}

/** The key is kept for this tab only. */
export const key = {
  given: () => sessionStorage.getItem(KEY) !== null,
  /** @param {string} text */
  keep: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

/**
 * How to sign in, and who has.
 * @returns {Promise<Session>}
 */
export const session = () => call("GET", "session");
/** @returns {Promise<Stats>} */
export const stats = () => call("GET", "stats");
/**
 * @param {string} id
 * @returns {Promise<Update>}
 */
export const update = (id) => call("GET", `updates/${encodeURIComponent(id)}`);
/** @param {string} id */
export const cancel = (id) => call("POST", `updates/${encodeURIComponent(id)}/cancel`);
/**
 * @param {string} id
 * @returns {Promise<{ id: string }>}
 */
export const replay = (id) => call("POST", `updates/${encodeURIComponent(id)}/replay`);
/** @returns {Promise<{ value: Pause[] }>} */
export const pauses = () => call("GET", "pauses");
/** @param {string} id */
export const resume = (id) => call("DELETE", `pauses/${encodeURIComponent(id)}`);
/** @param {string} id */
export const cancelPaused = (id) => call("POST", `pauses/${encodeURIComponent(id)}/cancelUpdates`);
/**
 * @param {Filter} filter
 * @param {boolean} dryRun
 * @returns {Promise<{ matched: number, replayed: number, remaining: number }>}
 */
export const replayMatching = (filter, dryRun) => call("POST", "updates/replay", { body: { ...filter, dryRun } });

/**
 * Whether all around the relay can be used; 503 says what cannot.
 * @returns {Promise<{ checks: Checks }>}
 */
export const readiness = () => call("GET", "health/ready", { fine: [503] });

/**
 * A page of the updates, and where it goes on.
 * @param {Filter} filter
 * @param {number} top
 * @param {string | null} [continuation]
 * @returns {Promise<Page>}
 */
export async function page(filter, top, continuation) {
  const { value, next } = await listed("updates", filter, top, continuation);
  return { updates: value, next };
}

/**
 * A page of the audit, and where it goes on.
 * @param {Filter} filter
 * @param {number} top
 * @param {string | null} [continuation]
 * @returns {Promise<{ records: AuditRecord[], next: string | null }>}
 */
export async function audit(filter, top, continuation) {
  const { value, next } = await listed("audit", filter, top, continuation);
  return { records: value, next };
}

/**
 * Of `nextLink`, which may name another origin, only the continuation is used.
 * @param {string} path
 * @param {Filter} filter
 * @param {number} top
 * @param {string | null} [continuation]
 * @returns {Promise<{ value: any[], next: string | null }>}
 */
async function listed(path, filter, top, continuation) {
  const query = { ...filter, top: String(top), ...(continuation ? { continuation } : {}) };
  const answer = await call("GET", `${path}?${new URLSearchParams(query)}`);
  const next = answer.nextLink ? new URL(answer.nextLink, ROOT).searchParams.get("continuation") : null;
  return { value: answer.value, next };
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, fine?: number[] }} [options]
 * @returns {Promise<any>}
 */
async function call(method, path, { body, fine = [] } = {}) {
  const response = await answered(method, path, body);
  if (response.status === 401) throw new KeyNeeded("The function key is missing or wrong.");
  if (response.status === 204) return null;
  const document = await response.json().catch(() => null);
  if (response.ok || fine.includes(response.status)) {
    if (document === null) throw new Unreachable(`The answer (${response.status}) is none of the relay's.`);
    return document;
  }
  if (document === null) throw new Unreachable(`Something else answered ${response.status}.`);
  throw new Refused(response.status, explained(document));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function answered(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", [PROOF]: "1" };
  const kept = sessionStorage.getItem(KEY);
  if (kept !== null) headers["x-functions-key"] = kept;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(new URL(path, ROOT), {
      method, headers, body: body && JSON.stringify(body), cache: "no-store", redirect: "error",
      signal: AbortSignal.timeout(LONGEST_MILLISECONDS),
    });
  } catch (error) {
    throw new Unreachable(error instanceof DOMException && error.name === "TimeoutError" ? "No answer in 30 seconds." : "No answer.");
  }
}

/** @param {Problem} problem */
function explained(problem) {
  const faults = (problem.errors ?? []).map((fault) => `${fault.pointer} ${fault.detail}`);
  return [problem.detail ?? `The relay answered ${problem.status}.`, ...faults].join(" ");
}
