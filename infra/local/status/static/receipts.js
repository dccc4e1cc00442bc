// From a number of a report to its receipt.

/** Whether a column of a row is a number that has a receipt: neither a key nor the partition. */
export function isAsked(report, row, column) {
  return typeof row[column] === "number" && !report.keys.includes(column) && column !== report.grain;
}

export const receiptOf = (row, column) => `${row.$receipt}${encodeURIComponent(column)}`;

/** A table that is one stop of the Tab key; the arrow keys go from number to number. */
export function roved(table) {
  const all = [...table.querySelectorAll("a.receipt")];
  all.forEach((link, at) => { link.tabIndex = at ? -1 : 0; });
  table.addEventListener("keydown", (event) => {
    const here = event.target.closest("a.receipt");
    const next = here && neighbour(all, here, event.key);
    if (!next) return;
    event.preventDefault();
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  return table;
}

function neighbour(all, here, key) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (step) return all[all.indexOf(here) + step];
  const cell = here.closest("td");
  const row = { ArrowUp: cell.parentElement.previousElementSibling, ArrowDown: cell.parentElement.nextElementSibling }[key];
  return row?.cells[cell.cellIndex]?.querySelector("a.receipt");
}
