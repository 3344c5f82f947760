/** The form of filters and the address, each following the other. */
import { address, SPANS, view } from "./address.js";
import { byId } from "./elements.js";

const TEXTS = ["priority", "deviceCompliancePolicyId", "deviceComplianceUserStatusId", "source"];
const MOMENTS = ["createdAfter", "createdBefore"];
const BETWEEN = "between";

/**
 * Show the address's filters; a field that is being typed in is left alone.
 * @param {View} wanted
 */
export function showFilters(wanted) {
  const form = byId("filters");
  fill(form.elements.which, wanted.statusDetail ? `statusDetail=${wanted.statusDetail}` : wanted.status ? `status=${wanted.status}` : "");
  for (const name of TEXTS) fill(form.elements[name], wanted[name] ?? "");
  for (const name of MOMENTS) fill(form.elements[name], wanted[name] ? local(wanted[name]) : "");
  const between = MOMENTS.some((name) => wanted[name]);
  if (between || form.elements.within.value !== BETWEEN) fill(form.elements.within, between ? BETWEEN : (wanted.within ?? ""));
  byId("between").hidden = form.elements.within.value !== BETWEEN;
}

/** Listen to the form; every change is a new address, from the newest page on. */
export function followFilters() {
  const form = byId("filters");
  form.addEventListener("change", () => go(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(form);
  });
  byId("clear").addEventListener("click", () => {
    form.reset();
    location.hash = address({});
    showFilters({});
  });
}

/** @param {Form} form */
function go(form) {
  byId("between").hidden = form.elements.within.value !== BETWEEN;
  const [name, value] = form.elements.which.value.split("=");
  /** @type {View} */
  const members = { update: view().update, [name]: value };
  for (const text of TEXTS) members[text] = form.elements[text].value.trim();
  if (form.elements.within.value === BETWEEN) {
    for (const moment of MOMENTS) members[moment] = instant(form.elements[moment].value);
  } else if (form.elements.within.value in SPANS) {
    members.within = form.elements.within.value;
  }
  location.hash = address(members);
}

/**
 * @param {HTMLInputElement | HTMLSelectElement} field
 * @param {string} value
 */
function fill(field, value) {
  if (field !== document.activeElement && field.value !== value) field.value = value;
}

/** @param {string} iso */
function local(iso) {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return "";
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} text */
function instant(text) {
  return text ? new Date(text).toISOString() : undefined;
}
