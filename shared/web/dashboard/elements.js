/**
 * Elements out of text: the only place that makes DOM. Whatever comes from the API becomes text or the value of a
 * harmless attribute, never markup.
 */
import { ago, exactly } from "./words.js";

/**
 * An element with attributes and children; null children are left out, `on` holds listeners.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {(Child | Child[])[]} children
 */
export function element(tag, { on = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/**
 * The element of the page with that id.
 * @template {keyof Ids} Id
 * @param {Id} id
 * @returns {Ids[Id]}
 */
export function byId(id) {
  return /** @type {Ids[Id]} */ (document.getElementById(id));
}

/**
 * Somebody else's words, in their own direction of writing.
 * @param {string | number} text
 * @param {Attributes} [attributes]
 */
export function foreign(text, attributes = {}) {
  return element("bdi", attributes, String(text));
}

/**
 * A moment as "3 min ago", exactly on hover; `tick` keeps it true.
 * @param {string} iso
 */
export function moment(iso) {
  return element("time", { datetime: iso, title: exactly(iso) }, ago(iso));
}

/** Bring all moments on the page up to date. */
export function tick() {
  /** @type {NodeListOf<HTMLTimeElement>} */
  const times = document.querySelectorAll("time[datetime]");
  for (const time of times) write(time, ago(time.dateTime));
}

/**
 * Set a text only where it changes: screen readers hear of changes alone, and selections stay.
 * @param {Element} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Make a parent's children those of `entries` ({key, stamp, make}), keeping each child whose stamp is the same: a focus,
 * a selection or an opened part in it survives. Where a focused child is made anew, the same part of it gets the focus.
 * @param {HTMLElement} parent
 * @param {Entry[]} entries
 */
export function reconcile(parent, entries) {
  const children = /** @type {HTMLElement[]} */ ([...parent.children]);
  const known = new Map(children.map((child) => [child.dataset.key, child]));
  const wanted = new Set(entries.map((entry) => entry.key));
  for (const [key, child] of known) if (!wanted.has(key ?? "")) child.remove();
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const { key, stamp, make } of entries) {
    const old = known.get(key);
    const same = old !== undefined && old.dataset.stamp === stamp;
    const child = same ? old : stamped(make(), key, stamp);
    if (same && old === next) {
      next = old.nextElementSibling;
    } else if (old !== undefined && old === next) {
      next = old.nextElementSibling;
      exchange(old, child);
    } else {
      old?.remove();
      parent.insertBefore(child, next);
    }
  }
}

/**
 * @param {HTMLElement} child
 * @param {string} key
 * @param {string} stamp
 */
function stamped(child, key, stamp) {
  child.dataset.key = key;
  child.dataset.stamp = stamp;
  return child;
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} child
 */
function exchange(old, child) {
  const active = document.activeElement;
  const focused = active instanceof HTMLElement && old.contains(active) ? active.dataset.focus : undefined;
  const open = new Set([...old.querySelectorAll("details")].filter((one) => one.open).map((one) => one.dataset.focus));
  old.replaceWith(child);
  for (const one of child.querySelectorAll("details")) if (open.has(one.dataset.focus)) one.open = true;
  /** @type {HTMLElement | null} */
  const successor = focused ? child.querySelector(`[data-focus="${CSS.escape(focused)}"]`) : null;
  successor?.focus();
}
