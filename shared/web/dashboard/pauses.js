/** What is paused: who paused what, why, since when and how many updates are held; those of the brake come first. */
import { endPause } from "./actions.js";
import { byId, element, foreign, reconcile } from "./elements.js";
import { mayOperate } from "./session.js";
import { counted, exactly } from "./words.js";

/**
 * How each member of a scope is said.
 * @type {Record<string, string>}
 */
const MEMBERS = { deviceCompliancePolicyId: "of policy", source: "from source", status: "that report" };

/** @param {Pause[]} pauses */
export function showPauses(pauses) {
  const entries = pauses.map((pause) => ({
    key: pause.id,
    stamp: `${JSON.stringify(pause)} ${mayOperate()}`,
    make: () => item(pause),
  }));
  reconcile(byId("pause-list"), entries);
  byId("pauses").hidden = entries.length === 0;
}

/** @param {Pause} pause */
function item(pause) {
  const held = `${counted(pause.heldCount, "update is", "updates are")} held.`;
  const ends = pause.endsDateTime ? ` It ends by itself on ${exactly(pause.endsDateTime)}.` : "";
  return element(
    "li", { class: `pause ${pause.kind}` },
    element("p", {}, element("strong", {}, what(pause)), " ", held),
    element("p", {}, foreign(pause.reason)),
    element("p", { class: "minor" }, `${who(pause)} on ${exactly(pause.createdDateTime)}.${ends}`),
    mayOperate() && element("p", { class: "buttons" }, button(pause, false), " ", button(pause, true)),
  );
}

/**
 * @param {Pause} pause
 * @param {boolean} cancels
 */
function button(pause, cancels) {
  const label = cancels ? "Cancel what is held…" : "Resume…";
  const on = { click: () => endPause(pause, cancels) };
  return element("button", { type: "button", "data-focus": `${cancels}`, class: cancels && "quiet", on }, label);
}

/** @param {Pause} pause */
function what({ scope }) {
  const members = Object.entries(scope).map(([name, value]) => `${MEMBERS[name] ?? name} ${value}`);
  return members.length ? `Paused: updates ${members.join(", ")}.` : "Paused: all updates.";
}

/** @param {Pause} pause */
function who({ kind, createdBy }) {
  if (kind === "brake") return "The brake paused it";
  return createdBy ? `${createdBy} paused it` : "Somebody with a function key paused it";
}
