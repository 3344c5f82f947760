/**
 * What is looked at, kept in the address after `#`, so that a view can be shared, reloaded and gone back to. The function
 * key is never in it.
 */
import { FILTERS } from "./rules.js";

/** Spans to look back, in hours. */
export const SPANS = { "1h": 1, "24h": 24, "7d": 24 * 7 };
const MEMBERS = [...FILTERS, "within", "continuation", "update"];

/** The view that the address names: its members, absent ones left out. */
export function view() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(MEMBERS.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
}

/** The address of a view. */
export function address(members) {
  const known = MEMBERS.filter((name) => members[name]).map((name) => [name, members[name]]);
  return `#${new URLSearchParams(known)}`;
}

/** The same list, with an update open. */
export function addressOf(updateId) {
  return address({ ...view(), update: updateId });
}

/** The list's filter as the API takes it; a span to look back becomes a moment. */
export function filterOf(members, now = Date.now()) {
  const filter = Object.fromEntries(FILTERS.filter((name) => members[name]).map((name) => [name, members[name]]));
  const hours = SPANS[members.within];
  return hours ? { ...filter, createdAfter: new Date(now - hours * 3_600_000).toISOString() } : filter;
}
