/** What is said, and what is asked, before something is done. */
import { key } from "./api.js";
import { byId, element, write } from "./elements.js";

/**
 * Say it for a while, to eyes and screen readers.
 * @param {string} text
 */
export function say(text) {
  const said = byId("said");
  said.hidden = false;
  write(said, text);
  clearTimeout(said.timer);
  said.timer = setTimeout(() => { said.hidden = true; said.textContent = ""; }, 6000);
}

/**
 * A dialog that is open; `show` fills it: a text, lines, and the button that does it (label and action), if any.
 * @param {string} title
 * @returns {Dialog}
 */
export function ask(title) {
  const dialog = byId("ask");
  write(byId("ask-title"), title);
  /** @type {Dialog["show"]} */
  const show = (text, lines = [], act = undefined) => {
    byId("ask-text").replaceChildren(element("p", {}, text), lines.length ? element("ul", {}, lines.map((line) => element("li", {}, line))) : "");
    const button = byId("ask-act");
    button.hidden = act === undefined;
    write(button, act?.label ?? "");
    button.onclick = act?.action ?? null;
    write(byId("ask-close"), act ? "Not now" : "Close");
    (act ? button : byId("ask-close")).focus();
  };
  if (!dialog.open) dialog.showModal();
  return { show, close: () => dialog.close(), opened: () => dialog.open && byId("ask-title").textContent === title };
}

/**
 * Ask for the function key; `done` is called when one was given.
 * @param {() => void} done
 */
export function askForKey(done) {
  const dialog = byId("key");
  const form = byId("key-form");
  write(byId("key-said"), key.given() ? "The relay refuses this key." : "");
  form.onsubmit = (event) => {
    event.preventDefault();
    const given = form.elements.key.value.trim();
    if (!given) return;
    key.keep(given);
    form.reset();
    dialog.close();
    done();
  };
  if (!dialog.open) dialog.showModal();
}

/** The buttons that only close. */
export function followDialogs() {
  byId("ask-close").addEventListener("click", () => byId("ask").close());
  byId("key-close").addEventListener("click", () => byId("key").close());
}
