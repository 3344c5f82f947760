/** Small drawings beside words, never instead of them; hidden from screen readers. */

const SVG = "http://www.w3.org/2000/svg";
const RING = "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13";

/** @type {Record<string, string>} */
const DRAWINGS = {
  succeeded: `${RING}M5 8.2l2.1 2.1L11.2 6`,
  failed: `${RING}M8 4.6v4M8 11.1v.2`,
  running: `${RING}M8 4.5V8l2.4 1.6`,
  notStarted: `${RING}M5 8h.1M8 8h.1M11 8h.1`,
  canceled: `${RING}M3.6 12.4l8.8-8.8`,
  back: "M10 3L5 8l5 5",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  replay: "M13 8a5 5 0 1 1-1.6-3.7M13 1.8v3h-3",
  arrow: "M3 8h10M9 4l4 4-4 4",
};

/**
 * The drawing of that name.
 * @param {string} name
 */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", DRAWINGS[name] ?? "");
  drawing.append(path);
  return drawing;
}
