// A table of words: its caption, the names of its columns, and the cells of each row, of which the first one names it.
const { h } = window.penstock;

export function table(caption, heads, rows) {
  const head = h("thead", {}, h("tr", {}, ...heads.map((title) => h("th", { scope: "col", class: "text" }, title))));
  const body = rows.map(([first, ...cells]) => h("tr", {}, h("th", { scope: "row", class: "text" }, first), ...cells.map((cell) => h("td", { class: "text" }, cell))));
  return h("div", { class: "sheet-of-rows", tabindex: "0", role: "group", "aria-label": `${caption}, scrollable` },
    h("table", {}, h("caption", { class: "unseen" }, caption), head, h("tbody", {}, ...body)));
}
