// The reports as charts and tables. Rows are fetched again only when a report's partitions were published anew.

import { counted, element, shown } from "/_static/dom.js";
import { chart } from "/_static/charts.js";
import { isAsked, receiptOf, roved } from "/_static/receipts.js";

const cards = new Map();

export function drawReports(place, reports) {
  for (const report of reports) {
    let card = cards.get(report.name);
    if (!card) {
      card = makeCard(report);
      cards.set(report.name, card);
      place.append(card.root);
    }
    const behind = [[report.stale, "to refresh"], [report.set_aside, "quarantined"]].filter(([count]) => count > 0);
    const words = behind.map(([count, what]) => `${count} ${what}`).join(", ");
    card.badge.dataset.state = behind.length > 0 ? "stale" : "fresh";
    card.badge.textContent = words || (report.partitions === 0 ? "no data yet" : "fresh");
    if (card.revision !== report.revision) {
      card.revision = report.revision;
      load(card, report);
    }
  }
}

function makeCard(report) {
  const badge = element("span", { class: "badge" }), body = element("div");
  const root = element("article", { class: "report", "data-report": report.name },
    element("header", {}, element("h3", {}, report.title), badge),
    element("p", { class: "name" }, report.name), body);
  return { root, badge, body, revision: null };
}

async function load(card, report) {
  const answer = await fetch(`/_report/${report.name}`);
  if (!answer.ok) {
    card.revision = null;
    return;
  }
  const { columns, rows, partitions, row_count: count } = await answer.json();
  if (rows.length === 0) return;
  card.body.replaceChildren(
    chart(report, rows) ?? "",
    element("details", {},
      element("summary", {}, `${counted(count, "row")} in ${counted(partitions, "partition")}`),
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Rows of ${report.title}` }, table(report, columns, rows))));
}

function table(report, columns, rows) {
  const isFigure = (column) => rows.some((row) => typeof row[column] === "number");
  const head = columns.map((column) => element("th", { scope: "col", class: isFigure(column) ? "figure" : null }, column));
  const body = rows.slice(-200).reverse().map((row) =>
    element("tr", {}, ...columns.map((column) => element("td", { class: isFigure(column) ? "figure" : null }, cell(report, row, column)))));
  return roved(element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)));
}

function cell(report, row, column) {
  if (!isAsked(report, row, column)) return shown(row[column]);
  return element("a", { class: "receipt", href: receiptOf(row, column) }, shown(row[column]));
}
