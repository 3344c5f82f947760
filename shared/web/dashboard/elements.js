/**
 * Elements out of text: the only place that makes DOM. Whatever comes from the API becomes text or the value of a
 * harmless attribute, never markup.
 */
import { ago, exactly } from "./words.js";

/** An element with attributes and children; null children are left out, `on` holds listeners. */
export function element(tag, { on = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** The element of the page with that id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Somebody else's words, in their own direction of writing. */
export function foreign(text, attributes = {}) {
  return element("bdi", attributes, String(text));
}

/** A moment as "3 min ago", exactly on hover; `tick` keeps it true. */
export function moment(iso) {
  return element("time", { datetime: iso, title: exactly(iso) }, ago(iso));
}

/** Bring all moments on the page up to date. */
export function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) write(time, ago(time.dateTime));
}

/** Set a text only where it changes: screen readers hear of changes alone, and selections stay. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Make a parent's children those of `entries` ({key, stamp, make}), keeping each child whose stamp is the same: a focus,
 * a selection or an opened part in it survives. Where a focused child is made anew, the same part of it gets the focus.
 */
export function reconcile(parent, entries) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(entries.map((entry) => entry.key));
  for (const [key, child] of known) if (!wanted.has(key)) child.remove();
  let next = parent.firstElementChild;
  for (const { key, stamp, make } of entries) {
    const old = known.get(key);
    const same = old !== undefined && old.dataset.stamp === stamp;
    const child = same ? old : stamped(make(), key, stamp);
    if (same && old === next) {
      next = next.nextElementSibling;
    } else if (old !== undefined && old === next) {
      next = next.nextElementSibling;
      exchange(old, child);
    } else {
      old?.remove();
      parent.insertBefore(child, next);
    }
  }
}

function stamped(child, key, stamp) {
  child.dataset.key = key;
  child.dataset.stamp = stamp;
  return child;
}

function exchange(old, child) {
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  const open = new Set([...old.querySelectorAll("details[open]")].map((one) => one.dataset.focus));
  old.replaceWith(child);
  for (const one of child.querySelectorAll("details")) if (open.has(one.dataset.focus)) one.open = true;
  if (focused) child.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}
