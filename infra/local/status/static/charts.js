// Small charts. What a report looks like follows from its declaration: a line of bars over its grain when a
// partition has one row, the largest rows of the newest partition when it has several.

import { compact, element, shape, shown } from "/_static/dom.js";
import { isAsked, receiptOf } from "/_static/receipts.js";

const WIDTH = 400;

/** A figure of the report's rows, or nothing when there are none. */
export function chart(report, rows) {
  if (rows.length === 0) return null;
  const figures = report.columns.filter((column) => typeof rows[0][column] === "number" || rows.some((row) => typeof row[column] === "number"));
  if (figures.length === 0) return null;
  return report.keys.length === 0 ? overTime(report, rows, figures[0]) : largest(report, rows, figures[0]);
}

function overTime(report, rows, column) {
  const height = 120, base = 96, kept = rows.slice(-96);
  const top = Math.max(...kept.map((row) => row[column] ?? 0), 1);
  const step = WIDTH / kept.length;
  const bars = kept.map((row, at) => {
    const tall = (base - 12) * (row[column] ?? 0) / top;
    return asking(report, row, column, shape("rect", { class: "bar", x: at * step + step * 0.1, y: base - tall, width: Math.max(step * 0.8, 0.8), height: tall },
      shape("title", {}, `${row[report.grain]}: ${shown(row[column])}`)));
  });
  const first = kept[0][report.grain], last = kept[kept.length - 1][report.grain];
  const drawing = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `${column} by ${report.grain}, from ${first} to ${last}` },
    ...bars,
    shape("line", { class: "axis", x1: 0, x2: WIDTH, y1: base, y2: base }),
    shape("text", { class: "tick", x: 0, y: base + 15 }, first),
    first === last ? null : shape("text", { class: "tick", x: WIDTH, y: base + 15, "text-anchor": "end" }, last),
    shape("text", { class: "tick", x: 0, y: 9 }, compact(top)));
  return figure(drawing, `${column}, one bar per ${grainWord(report.grain)}`);
}

function largest(report, rows, column) {
  const newest = rows[rows.length - 1][report.grain];
  const kept = rows.filter((row) => row[report.grain] === newest);
  const ordered = kept.every((row) => /^\d/.test(String(row[report.keys[0]]))) ? kept : kept.sort((a, b) => (b[column] ?? 0) - (a[column] ?? 0));
  const few = ordered.slice(0, 6), line = 21, left = 150;
  const top = Math.max(...few.map((row) => row[column] ?? 0), 1);
  const lines = few.flatMap((row, at) => {
    const name = report.keys.map((key) => shown(row[key])).join(" · ");
    const long = (WIDTH - left - 60) * (row[column] ?? 0) / top;
    return [
      shape("text", { class: "label", x: 0, y: at * line + 14 }, name.length > 24 ? `${name.slice(0, 23)}…` : name, shape("title", {}, name)),
      asking(report, row, column, shape("rect", { class: "bar", x: left, y: at * line + 4, width: Math.max(long, 1), height: 13, rx: 2 })),
      shape("text", { class: "tick", x: left + long + 6, y: at * line + 14 }, compact(row[column] ?? 0)),
    ];
  });
  const drawing = shape("svg", { viewBox: `0 0 ${WIDTH} ${few.length * line + 4}`, role: "img", "aria-label": `${column} by ${report.keys.join(", ")}, ${newest}` }, ...lines);
  return figure(drawing, `${column} on ${newest}`);
}

// A mark that leads to the receipt of its number. The table has the same for the keyboard.
function asking(report, row, column, mark) {
  if (!isAsked(report, row, column)) return mark;
  mark.classList.add("asks");
  mark.addEventListener("click", () => location.assign(receiptOf(row, column)));
  return mark;
}

function figure(drawing, caption) {
  return element("figure", {}, drawing, element("figcaption", {}, caption));
}

const grainWord = (grain) => (grain === "event_hour" ? "hour" : "day");

/** The last minute of a stage's rate. */
export function sparkline(values) {
  const top = Math.max(...values, 1);
  const points = values.map((value, at) => `${(at * 100) / Math.max(values.length - 1, 1)},${28 - (26 * value) / top}`);
  return shape("svg", { viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    shape("polygon", { class: "spark-area", points: `0,30 ${points.join(" ")} 100,30` }),
    shape("polyline", { class: "spark", points: points.join(" "), "vector-effect": "non-scaling-stroke" }));
}
