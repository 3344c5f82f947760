/** Deliveries by minute as bars; what it shows is said in words as well. */
import { byId, write } from "./elements.js";
import { clock, counted, number } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 40;
const GAP = 0.25;

/**
 * Draw `deliveries` ({startDateTime, count}, oldest first).
 * @param {Delivery[]} deliveries
 */
export function draw(deliveries) {
  const most = Math.max(1, ...deliveries.map((one) => one.count));
  const chart = byId("chart");
  const stamp = JSON.stringify(deliveries);
  if (chart.dataset.stamp === stamp) return;
  chart.dataset.stamp = stamp;
  chart.setAttribute("viewBox", `0 0 ${deliveries.length} ${HEIGHT}`);
  chart.replaceChildren(...deliveries.map((one, at) => bar(one, at, most)));
  const said = inWords(deliveries);
  chart.setAttribute("aria-label", said);
  write(byId("chart-said"), said);
  write(byId("chart-most"), number(most));
  write(byId("chart-from"), deliveries.length ? clock(deliveries[0].startDateTime) : "");
}

/**
 * @param {Delivery} delivery
 * @param {number} at
 * @param {number} most
 */
function bar({ startDateTime, count }, at, most) {
  const height = count === 0 ? 0.4 : Math.max(1.5, (count / most) * HEIGHT);
  const drawn = shape("rect", {
    class: count === 0 ? "bar empty" : "bar", x: at + GAP / 2, y: HEIGHT - height, width: 1 - GAP, height,
  });
  const title = shape("title", {});
  title.textContent = `${clock(startDateTime)}: ${counted(count, "delivery", "deliveries")}`;
  drawn.append(title);
  return drawn;
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 */
function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  return made;
}

/** @param {Delivery[]} deliveries */
function inWords(deliveries) {
  const total = deliveries.reduce((sum, one) => sum + one.count, 0);
  if (total === 0) return "No deliveries in the last hour.";
  const top = deliveries.reduce((best, one) => (one.count > best.count ? one : best));
  const most = `at most ${number(top.count)} a minute, at ${clock(top.startDateTime)}`;
  return `${counted(total, "delivery", "deliveries")} in the last hour, ${most}.`;
}
