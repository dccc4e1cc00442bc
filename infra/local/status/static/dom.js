// Elements and numbers, said shortly.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; text stays text, so nothing from an event is ever markup. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same in the SVG namespace. */
export function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

export const byId = (id) => document.getElementById(id);

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const rough = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A value of a report or a figure as people read it. */
export function shown(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? whole.format(value) : rough.format(value);
}

export const compact = (value) => (Math.abs(value) < 10000 ? shown(value) : short.format(value));

/** A count and what is counted: "1 row", "1,200 rows". */
export const counted = (count, what) => `${shown(count)} ${what}${count === 1 ? "" : "s"}`;

export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "waiting";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${whole.format(seconds / 86400)} days`;
}

export function clock(seconds) {
  const at = new Date(seconds * 1000);
  return at.toISOString().slice(11, 23);
}
