// From a number on the page to the address of its receipt.
window.penstock = (() => {
  "use strict";

  const isNumber = (tile, column) => tile.has_receipts && tile.columns[column]?.kind === "number" && ["value", "line"].includes(tile.columns[column].role);

  // What names a number: the page's choices, the row by its dimensions' values, the column.
  function named(query, tile, row, column) {
    const asked = new URLSearchParams(query);
    tile.columns.forEach(({ alias, role }, at) => {
      const value = tile.rows[row][at];
      if (!["value", "line"].includes(role) && value !== null) asked.set(`at.${alias}`, String(value));
    });
    asked.set("column", tile.columns[column].alias);
    return asked;
  }

  // Where the receipt of a number is.
  const address = (page, query, tile, row, column) => `/_number/${encodeURIComponent(page)}/${encodeURIComponent(tile.id)}?${named(query, tile, row, column)}`;

  // The row and column of a mark. Vega gives of a line or an area its first point only: the row is then that of the
  // same series whose time is nearest to the pointer.
  function marked(tile, view, event, item) {
    const { datum } = item;
    const time = tile.columns.findIndex((column) => column.kind === "time" && column.role === "category");
    const color = tile.columns.findIndex((column) => column.role === "color");
    let { row } = datum;
    if (["line", "area"].includes(item.mark.marktype) && time >= 0) {
      const left = view.container().querySelector("svg").getBoundingClientRect().left + view.padding().left + view.origin()[0];
      const pointed = view.scale("x").invert(event.clientX - left);
      const away = (cells) => Math.abs(Date.parse(`${cells[time]}Z`) - pointed);
      tile.rows.forEach((cells, at) => {
        if (color >= 0 && cells[color] !== tile.rows[datum.row][color]) return;
        if (away(cells) < away(tile.rows[row])) row = at;
      });
    }
    return { row, column: column(tile, datum, item) };
  }

  // Several measures are folded into one mark, which says which it is by `key`; or each has a layer.
  function column(tile, datum, item) {
    const folded = tile.columns.findIndex((each) => each.alias === datum.key);
    if (folded >= 0) return folded;
    const of = (role) => tile.columns.flatMap((each, at) => (each.role === role ? [at] : []));
    const layer = /^layer_(\d+)_layer_(\d+)_/.exec(item.mark.name || "");
    const lines = of("line");
    return lines.length && layer ? [of("value"), lines][layer[1]][layer[2]] : of("value")[0];
  }

  // A table is one stop of the Tab key; the arrow keys go from number to number.
  function roved(table) {
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
    const cell = here.closest("td, th");
    let row = cell.parentElement;
    const way = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[key];
    while (way && (row = row[way])) {
      const found = row.cells[cell.cellIndex]?.querySelector("a.receipt");
      if (found) return found;
    }
    return undefined;
  }

  return { isNumber, address, named, marked, roved };
})();
