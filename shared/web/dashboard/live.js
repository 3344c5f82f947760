/**
 * Looking again, forever: every few seconds while the page is seen, rarely while it is not, ever more rarely while nothing
 * answers, and never faster than a quarter of the time that the answers take.
 */
import { KeyNeeded } from "./api.js";

const SEEN_SECONDS = 3;
const UNSEEN_SECONDS = 60;
const LONGEST_SECONDS = 60;
const LARGEST_EXPONENT = 5;

/**
 * `refresh` looks once; `tell(error, seconds)` hears how it went: null when well, else the error and when it is tried
 * again (null: not by itself). What is returned looks now.
 * @param {() => Promise<void>} refresh
 * @param {(error: Error | null, seconds: number | null) => void} tell
 */
export function keepLooking(refresh, tell) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let looking = false;
  let again = false;
  let failures = 0;

  async function look() {
    clearTimeout(timer);
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    const pause = await once();
    looking = false;
    if (again) {
      again = false;
      look();
    } else if (pause !== null) {
      timer = setTimeout(look, pause * 1000);
    }
  }

  async function once() {
    const started = performance.now();
    try {
      await refresh();
    } catch (error) {
      failures += 1;
      const pause = error instanceof KeyNeeded ? null : backoff(failures);
      tell(/** @type {Error} */ (error), pause);
      return pause;
    }
    failures = 0;
    tell(null, null);
    const took = (performance.now() - started) / 1000;
    return Math.max(document.hidden ? UNSEEN_SECONDS : SEEN_SECONDS, took * 3);
  }

  document.addEventListener("visibilitychange", () => document.hidden || look());
  addEventListener("online", look);
  return look;
}

/** @param {number} failures */
function backoff(failures) {
  return Math.min(LONGEST_SECONDS, SEEN_SECONDS * 2 ** Math.min(failures - 1, LARGEST_EXPONENT));
}
