/** What an operator can do: cancel, replay, replay by filter with its count asked first. */
import { addressOf, filterOf, view } from "./address.js";
import * as api from "./api.js";
import { ask, say } from "./dialogs.js";
import { mayOperate } from "./session.js";
import { MAX_REPLAYS } from "./rules.js";
import { counted, whose } from "./words.js";

/** @type {Set<string>} */
const busy = new Set();
/** @type {() => void} */
let after = () => {};

/**
 * `look` shows what an action changed.
 * @param {() => void} look
 */
export function followActions(look) {
  after = look;
}

/**
 * Whether there is anything to replay, and this user may.
 * @param {ListedUpdate} update
 */
export const canReplay = (update) =>
  mayOperate() && ["failed", "canceled"].includes(update.status) && update.replayedBy === null && update.userStatus !== null;

/**
 * Whether it can still be taken back, and this user may.
 * @param {ListedUpdate} update
 */
export const canCancel = (update) => mayOperate() && ["notStarted", "running"].includes(update.status);

/**
 * Replay one, and go to the new update.
 * @param {ListedUpdate} update
 */
export function replayIt(update) {
  return doing(update.id, async () => {
    const made = await api.replay(update.id);
    location.hash = addressOf(made.id);
    say("Replayed. This is the new update.");
  });
}

/**
 * Cancel one, once the operator said so.
 * @param {ListedUpdate} update
 */
export function cancelIt(update) {
  const dialog = ask("Cancel this update?");
  const action = () => {
    dialog.close();
    doing(update.id, async () => {
      await api.cancel(update.id);
      say("Canceled. It will not be sent.");
    });
  };
  dialog.show(`The values for ${whose(update)} will not be sent to Graph. You can replay it later.`, [], { label: "Cancel it", action });
}

/**
 * End a pause, once the operator has confirmed how many updates are sent or canceled.
 * @param {Pause} pause
 * @param {boolean} cancels
 */
export function endPause(pause, cancels) {
  const held = counted(pause.heldCount, "held update");
  const dialog = ask(cancels ? "Cancel what is held?" : "Resume?");
  const action = () => {
    dialog.close();
    doing(pause.id, async () => {
      await (cancels ? api.cancelPaused(pause.id) : api.resume(pause.id));
      say(cancels ? `Canceled ${held}. The pause ends.` : `Resumed. ${held} will be sent.`);
    });
  };
  const text = cancels ? `${held} will be canceled and not be sent. Then the pause ends. You can replay them later.`
    : `${held} will be sent, in the order in which they were accepted. Of each user the newest values alone are sent.`;
  dialog.show(text, [], { label: cancels ? `Cancel ${held}` : `Send ${held}`, action });
}

/** Ask how many match the list's filter, then replay them. */
export async function replayMatching() {
  const dialog = ask("Replay what matches");
  // What comes in while the operator thinks is not part of what was counted.
  const filter = { createdBefore: new Date().toISOString(), ...filterOf(view()) };
  dialog.show("Counting…");
  try {
    const { matched } = await api.replayMatching(filter, true);
    if (dialog.opened()) offer(dialog, filter, matched);
  } catch (error) {
    if (dialog.opened()) dialog.show(/** @type {Error} */ (error).message);
  }
}

/**
 * @param {Dialog} dialog
 * @param {Filter} filter
 * @param {number} matched
 * @param {string} [done]
 */
function offer(dialog, filter, matched, done = "") {
  if (matched === 0) {
    dialog.show(done || "No failed or canceled update matches that was not replayed already.");
    return;
  }
  const now = Math.min(matched, MAX_REPLAYS);
  const which = Object.entries(filter).map(([name, value]) => `${name}: ${value}`);
  const text = `${done} ${counted(matched, "failed or canceled update")} can be replayed. Each is sent again, once; newer values are never overwritten.`;
  dialog.show(text.trim(), which, { label: `Replay ${counted(now, "update")}`, action: () => replayThem(dialog, filter) });
}

/**
 * @param {Dialog} dialog
 * @param {Filter} filter
 */
async function replayThem(dialog, filter) {
  dialog.show("Replaying…");
  try {
    const { replayed, remaining } = await api.replayMatching(filter, false);
    const done = `Replayed ${counted(replayed, "update")}.`;
    say(done);
    if (dialog.opened()) offer(dialog, filter, remaining, done);
  } catch (error) {
    if (dialog.opened()) dialog.show(/** @type {Error} */ (error).message);
  }
  after();
}

/**
 * One action at a time for each update; a second press while it runs is none.
 * @param {string} id
 * @param {() => Promise<void>} action
 */
async function doing(id, action) {
  if (busy.has(id)) return;
  busy.add(id);
  try {
    await action();
  } catch (error) {
    say(/** @type {Error} */ (error).message);
  } finally {
    busy.delete(id);
    after();
  }
}
