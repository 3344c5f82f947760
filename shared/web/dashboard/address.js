/**
 * What is looked at, kept in the address after `#`, so that a view can be shared, reloaded and gone back to. The function
 * key is never in it.
 */
import { FILTERS } from "./rules.js";

/**
 * Spans to look back, in hours.
 * @type {Record<string, number>}
 */
export const SPANS = { "1h": 1, "24h": 24, "7d": 24 * 7 };
const MEMBERS = [...FILTERS, "within", "continuation", "update", "audit"];

/**
 * The view that the address names: its members, absent ones left out.
 * @returns {View}
 */
export function view() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(MEMBERS.map((name) => [name, given.get(name) ?? ""]).filter(([, value]) => value));
}

/**
 * The address of a view.
 * @param {View} members
 * @returns {string}
 */
export function address(members) {
  const known = MEMBERS.map((name) => [name, members[name] ?? ""]).filter(([, value]) => value);
  return `#${new URLSearchParams(known)}`;
}

/**
 * The same list, with an update open.
 * @param {string} updateId
 */
export function addressOf(updateId) {
  return address({ ...view(), audit: undefined, update: updateId });
}

/**
 * The list's filter as the API takes it; a span to look back becomes a moment.
 * @param {View} members
 * @returns {Filter}
 */
export function filterOf(members, now = Date.now()) {
  const filter = Object.fromEntries(FILTERS.map((name) => [name, members[name] ?? ""]).filter(([, value]) => value));
  const hours = SPANS[members.within ?? ""];
  return hours ? { ...filter, createdAfter: new Date(now - hours * 3_600_000).toISOString() } : filter;
}
