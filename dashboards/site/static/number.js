// What a number on a dashboard is computed from: numbers of a report, each with the command that makes its receipt.
import { send } from "./api.js";
import { table } from "./rows.js";

const { h, whole } = window.penstock;
const CHOICES = ["p.", "f.", "c.", "d."];

// The request behind an address: choices stay a query, the row's values become an object.
function asked(visual, query) {
  const state = new URLSearchParams([...query].filter(([name]) => CHOICES.includes(name.slice(0, 2))));
  const at = Object.fromEntries([...query].filter(([name]) => name.startsWith("at.")).map(([name, value]) => [name.slice(3), value]));
  return { version: query.get("v") || "", visual, column: query.get("column") || "", at, state: state.toString() };
}

function answer(found) {
  const keys = (cell) => Object.entries(cell.keys).map(([name, value]) => `${name} ${value}`).join(", ");
  const hasKeys = found.cells.some((cell) => Object.keys(cell.keys).length);
  const rows = found.cells.map((cell) => [cell.partition, ...(hasKeys ? [keys(cell)] : []), cell.column, cell.value, h("code", {}, cell.command)]);
  const many = found.total > rows.length ? ` These are the newest ${whole(rows.length)}.` : "";
  return [
    h("p", { class: "behind" }, found.text),
    h("p", {}, found.total === 1 ? `One number of the report ${found.report}.` : `Computed from ${whole(found.total)} numbers of the report ${found.report}.${many}`),
    table("Numbers of the report", ["partition", ...(hasKeys ? ["row"] : []), "number", "value", "its receipt"], rows),
    h("p", { class: "said" }, "A receipt lists the events behind a number, the objects they lie in, and what failed, was dropped or came late. It reads the lake, which this site may not: run the command, or send it to somebody who has the policy penstock-analyst."),
  ];
}

// A version does not change, so neither does what it was computed from: the page is made once.
export function page({ main, names: [name, visual], query, loaded }) {
  const back = new URLSearchParams([...query].filter(([key]) => CHOICES.includes(key.slice(0, 2)) || key === "sheet"));
  return {
    isOpen: false,
    async fetch() {
      if (this.isOpen) return;
      const found = await send(`/dashboards/${encodeURIComponent(name)}/number`, asked(visual, query));
      document.title = `${found.title} – Penstock`;
      const there = h("a", { href: `#/d/${encodeURIComponent(name)}${back.size ? `?${back}` : ""}` }, "Back to the dashboard");
      main.replaceChildren(h("h1", {}, found.title), ...answer(found), h("p", {}, there));
      this.isOpen = true;
      loaded();
    },
    close() { this.isOpen = false; },
  };
}
