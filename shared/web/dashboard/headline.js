/** The one sentence that an operator wants first, and what follows from it. */
import { counted } from "./words.js";

/** @type {Record<string, [string, string]>} */
const OF_CHECKS = {
  queue: ["The relay cannot use its queue.", "Nothing can be handed over over HTTP until its storage account answers again."],
  table: ["The relay cannot use its tables.", "Outcomes may be missing here until its storage account answers again."],
  identity: ["The relay gets no token for Graph.", "Updates wait and are sent by themselves once its managed identity works again."],
  graph: ["Microsoft Graph refuses or does not answer.", "Updates wait and are tried again by themselves. Nothing is lost."],
};

/**
 * `{title, more, tone}` out of statistics, checks and the closer look; the worst first.
 * @param {{ stats: Stats, checks: Checks, failures: Sample, waiting: Sample, pauses: Pause[] }} known
 */
export function headline({ stats, checks, failures, waiting, pauses }) {
  const brake = pauses.find((pause) => pause.kind === "brake");
  if (brake) return { title: brake.reason, more: `${counted(brake.heldCount, "update is", "updates are")} held. Look below, then resume or cancel.`, tone: "failed" };
  const failing = Object.keys(OF_CHECKS).find((name) => checks[name] === "failing");
  if (failing) return { title: OF_CHECKS[failing][0], more: OF_CHECKS[failing][1], tone: "failed" };
  const { failed, running } = stats.last24Hours.byStatus;
  if (failures.total > 0) {
    const count = `${counted(failures.total, "failed update")}${failures.more ? " or more" : ""}`;
    const more = "Below is why, and what to do. Once the cause is mended, replay.";
    return { title: `${count} ${failures.total === 1 ? "needs" : "need"} you.`, more, tone: "failed" };
  }
  if (pauses.length > 0) {
    const held = pauses.reduce((sum, pause) => sum + pause.heldCount, 0);
    return { title: `Paused: ${counted(held, "update is", "updates are")} held.`, more: "They are sent when the pause ends. See below.", tone: "running" };
  }
  if (stats.quota.holding) {
    return { title: "Graph asked the relay to wait.", more: "Sending goes on by itself.", tone: "running" };
  }
  if (running > 0 && waiting.total > 0) {
    const title = `${counted(running, "update waits", "updates wait")} for another try.`;
    return { title, more: "They are sent by themselves; there is nothing to press.", tone: "running" };
  }
  const more = failed > 0 ? `${counted(failed, "update")} failed in the last 24 hours; all were replayed.`
    : "Nothing failed in the last 24 hours.";
  return { title: "All is well.", more, tone: "succeeded" };
}
