// Draws visuals from what the server sends. Text goes in as text nodes only: titles and values may be foreign.
window.penstock = (() => {
  "use strict";
  const { isNumber, address, named, marked, roved } = window.penstock;
  const SVG = "http://www.w3.org/2000/svg";

  function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const short = (iso) => (iso ? iso.slice(0, 16).replace("T", " ") : "");
  // The browser's own formatter takes 20 ms to wake; nothing here but whole numbers needs it.
  const whole = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

  function age(seconds) {
    if (seconds === null || seconds === undefined) return "no data";
    if (seconds < 60) return "now";
    const units = [[86400, "d"], [3600, "h"], [60, "min"]];
    const [size, letter] = units.find(([size]) => seconds >= size);
    return `${Math.floor(seconds / size)} ${letter} ago`;
  }

  // Numbers and tables do not wait for the chart library.
  const library = window.vega ? Promise.resolve() : new Promise((done) => document.addEventListener("DOMContentLoaded", done));

  // Charts are drawn one after the other, with a pause between them: what is clicked meanwhile does not wait for all.
  const pause = () => new Promise((done) => setTimeout(done));
  let turn = library;
  function inTurn(draw) {
    const drawn = turn.then(pause).then(draw);
    turn = drawn.catch(() => {});
    return drawn;
  }

  // A tile's rows as the data of its chart: values, and their number.
  function values(tile) {
    return tile.rows.map((cells, row) => {
      const found = { row };
      tile.columns.forEach(({ alias, kind }, at) => {
        found[alias] = kind === "time" && cells[at] !== null ? Date.parse(`${cells[at]}Z`) : cells[at];
      });
      return found;
    });
  }

  // A tile keeps its element for as long as its sheet is open; draw() changes what is inside.
  class Tile {
    constructor(element, actions) {
      this.element = element;
      this.actions = actions;
      this.heading = h("h2", { id: `title-${element.id}` }, element.title);
      this.sub = h("p", { class: "sub" });
      this.unfiltered = h("p", { class: "unfiltered" });
      this.body = h("div", { class: "body" }, h("div", { class: "waiting" }, "Loading"));
      this.stand = h("span", { class: "stand" });
      this.toggle = h("button", { type: "button", "aria-expanded": "false", hidden: true, onclick: () => this.flip() }, "Table");
      this.links = h("span", {});
      this.showsTable = false;
      this.root = h("section", { class: `tile ${element.kind}`, "data-id": element.id, "data-state": "loading", "aria-labelledby": `title-${element.id}` },
        this.heading, this.sub, this.unfiltered, this.body, h("footer", {}, this.stand, this.toggle, this.links));
      place(this.root, element.place);
      this.sort = null;
    }

    flip() {
      this.showsTable = !this.showsTable;
      this.draw(this.tile, this.context);
    }

    draw(tile, context) {
      this.tile = tile;
      this.context = context;
      const focus = this.root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      this.root.dataset.state = tile.state;
      const badges = tile.is_stale && tile.state !== "error" ? [h("span", { class: "badge stale" }, "stale")] : [];
      this.heading.replaceChildren(tile.title, ...badges);
      this.sub.replaceChildren(...(this.element.subtitle || []).map((part) => part.text || short(context.parameters[part.parameter]?.value)));
      this.unfiltered.textContent = tile.unfiltered?.length ? `Not filtered by ${tile.unfiltered.join(", ")}` : "";
      this.stand.textContent = this.standing(tile);
      this.stand.title = tile.through ? `Data through ${short(tile.through)} UTC` : "";
      const isCharted = Boolean(tile.vega) || Boolean(tile.kpi?.trend);
      this.toggle.hidden = !(isCharted && tile.state === "data");
      this.toggle.textContent = this.showsTable ? "Chart" : "Table";
      this.toggle.setAttribute("aria-expanded", String(this.showsTable));
      this.toggle.setAttribute("aria-label", `${tile.title}: show as ${this.showsTable ? "chart" : "table"}`);
      this.links.replaceChildren(...this.actions.links(tile));
      this.fill(tile, isCharted);
      if (focus) this.root.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
    }

    standing(tile) {
      const parts = [];
      if (tile.behind !== undefined && tile.state !== "error") parts.push(`${whole(tile.behind)} row${tile.behind === 1 ? "" : "s"}`);
      if (tile.through && !tile.kpi) parts.push(`through ${short(tile.through)}`);
      if (tile.message && tile.state === "data") parts.push(tile.message);
      return parts.join(" · ");
    }

    fill(tile, isCharted) {
      if (tile.state === "data" && tile.vega && !this.showsTable) return this.chart(tile);
      this.dropChart();
      if (tile.state === "empty") this.body.replaceChildren(this.emptyNote());
      else if (tile.state === "error") this.body.replaceChildren(h("div", { class: "failed", tabindex: "0" }, h("strong", {}, "Cannot be drawn"), tile.message));
      else if (tile.state === "unsupported") this.body.replaceChildren(h("div", { class: "refused", tabindex: "0" }, h("strong", {}, "Not shown here"), tile.message));
      else if (this.showsTable && isCharted) this.body.replaceChildren(this.scroller(this.table(tile)));
      else if (tile.kpi) this.body.replaceChildren(...this.figure(tile, tile.kpi));
      else if (tile.lines) this.body.replaceChildren(this.scroller(h("ul", { class: "lines" }, ...tile.lines.map((line) => h("li", {}, line)))));
      else if (tile.kind === "pivot") this.body.replaceChildren(this.scroller(this.pivot(tile)));
      else this.body.replaceChildren(this.scroller(this.table(tile)));
    }

    emptyNote() {
      const why = this.actions.viewer?.() ? "Nothing here that this viewer may see." : "No data in this range.";
      return h("div", { class: "empty" }, why);
    }

    scroller(child) {
      return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${this.tile.title}, scrollable` }, child);
    }

    // A number that leads to its receipt, or the text alone.
    asking(tile, row, column, text) {
      if (!this.actions.receipt || !isNumber(tile, column) || (tile.rows[row]?.[column] ?? null) === null) return text;
      return h("a", { class: "receipt", href: this.actions.receipt(tile, row, column), "data-key": `number-${row}-${column}` }, text);
    }

    figure(tile, kpi) {
      const [last, value] = [tile.rows.length - 1, tile.columns.findIndex((column) => column.role === "value")];
      const shown = this.asking(tile, last, value, kpi.text);
      const parts = [h("span", { class: kpi.text.length > 12 ? "number long" : "number" }, h("data", { value: kpi.value === null ? "" : String(kpi.value) }, shown))];
      if (kpi.change) {
        const way = kpi.change.value > 0 ? "▲" : kpi.change.value < 0 ? "▼" : "■";
        parts.push(h("span", { class: "change" }, `${way} ${kpi.change.text} from `, this.asking(tile, last - 1, value, kpi.before)));
      }
      const found = [h("div", { class: "figure" }, ...parts)];
      if (kpi.trend && kpi.trend.length > 1) found.push(spark(kpi.trend));
      return found;
    }

    dropChart() {
      if (this.view) this.view.finalize();
      this.view = this.charted = null;
    }

    chart(tile) {
      // A line that says what does not filter the tile takes room from its chart, which then is laid out anew.
      if (this.view && this.charted === tile.chart && this.height === this.body.clientHeight) {
        // New rows into the chart that stands: nothing flickers, nothing loses its place.
        this.drawn = this.view.data("rows", values(tile)).runAsync();
        return;
      }
      this.dropChart();
      const acts = tile.click || tile.drill?.can || (tile.has_receipts && this.actions.receipt);
      const holder = h("div", { class: `chart${acts ? " acts" : ""}`, role: "img", "aria-label": `${tile.title}. The same numbers are in the table: use the button Table.` });
      this.body.replaceChildren(holder);
      this.drawn = inTurn(() => this.tile === tile && this.plot(tile, holder, acts));
    }

    plot(tile, holder, acts) {
      if (!holder.isConnected) return undefined;
      const runtime = vega.parse(tile.vega, null, { ast: true });
      const view = new vega.View(runtime, { expr: vegaInterpreter.expressionInterpreter, renderer: "svg", logLevel: vega.Error });
      view.tooltip(() => {});
      view.addEventListener("mousemove", (event, item) => tip(event, item?.datum?.row === undefined ? null : this.tile, item?.datum?.row));
      view.addEventListener("mouseout", () => tip(null, null));
      view.initialize(holder);
      holder.querySelector("svg").setAttribute("aria-hidden", "true"); // the holder has the name
      view.data("rows", values(tile));
      if (acts) view.addEventListener("click", (event, item) => this.press(view, event, item));
      this.view = view;
      this.charted = tile.chart;
      this.height = this.body.clientHeight;
      return pause().then(() => this.view === view && view.runAsync());
    }

    // A mark filters or goes into where the definition says so; every other one leads to the receipt of its number.
    press(view, event, item) {
      if (item?.datum?.row === undefined) return;
      const tile = this.tile;
      if (tile.click || tile.drill?.can) return void this.act(item.datum.row);
      if (!tile.has_receipts || !this.actions.receipt) return;
      const { row, column } = marked(tile, view, event, item);
      if (tile.rows[row][column] !== null) location.assign(this.actions.receipt(tile, row, column));
    }

    act(row) {
      const tile = this.tile;
      if (tile.click) {
        const value = tile.rows[row][tile.click.column];
        if (value !== null && value !== tile.click.other) this.actions.click(tile.id, value);
      } else if (tile.drill?.can) {
        this.actions.drill(tile.id, tile.drill.unit, tile.rows[row][tile.drill.column]);
      }
    }

    cell(tile, column, row, isHead) {
      const text = tile.texts[row][column];
      const value = tile.rows[row][column];
      const acting = tile.click?.column ?? (tile.drill?.can ? tile.drill.column : -1);
      const content = acting === column && value !== null && value !== tile.click?.other
        ? h("button", { type: "button", "data-key": `row-${value}`, onclick: () => this.act(row), "aria-label": tile.click ? `${text}: filter the other visuals` : `${text}: go into` }, text)
        : this.asking(tile, row, column, text);
      const shown = h("data", { value: value === null ? "" : String(value) }, content);
      const kind = tile.columns[column].kind === "number" ? "" : "text";
      return isHead ? h("th", { scope: "row", class: `row ${kind}` }, shown) : h("td", { class: kind }, shown);
    }

    table(tile) {
      const order = tile.rows.map((_, index) => index);
      if (this.sort) {
        const { column, way } = this.sort;
        order.sort((a, b) => way * compare(tile.rows[a][column], tile.rows[b][column]));
      }
      const heads = tile.columns.map((column, at) => {
        const sorted = this.sort?.column === at ? (this.sort.way > 0 ? "ascending" : "descending") : "none";
        const turn = () => {
          this.sort = { column: at, way: this.sort?.column === at ? -this.sort.way : column.kind === "number" ? -1 : 1 };
          this.draw(this.tile, this.context);
        };
        return h("th", { scope: "col", "aria-sort": sorted, class: column.kind === "number" ? "" : "text" },
          h("button", { type: "button", "data-key": `sort-${at}`, onclick: turn }, column.label));
      });
      const chosen = tile.click?.chosen;
      const body = order.map((row) => h("tr", { class: chosen && String(tile.rows[row][tile.click.column]) === chosen ? "chosen" : null },
        ...tile.columns.map((_, column) => this.cell(tile, column, row, column === 0))));
      return roved(h("table", {}, h("caption", { class: "unseen" }, tile.title), h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...body)));
    }

    pivot(tile) {
      const at = (role) => tile.columns.findIndex((column) => column.role === role);
      const [row, across, value] = [at("category"), at("color"), at("value")];
      const key = (value) => JSON.stringify(value);
      const names = (column) => {
        const found = new Map();
        tile.rows.forEach((cells, index) => found.set(key(cells[column]), [cells[column], tile.texts[index][column]]));
        return [...found];
      };
      // Rows come in order. Columns are met row by row, so the first row's gaps would put them out of order.
      const columns = names(across).sort(([, [a]], [, [b]]) => compare(a, b));
      const cells = new Map(tile.rows.map((values, index) => [`${key(values[row])} ${key(values[across])}`, index]));
      const { apart } = tile.columns[value];
      const group = (values) => (apart === null ? "" : key(values[apart]));
      const most = new Map();
      for (const values of tile.rows) most.set(group(values), Math.max(most.get(group(values)) ?? 0, values[value] ?? 0));
      const head = h("tr", {}, h("th", { scope: "col", class: "text" }, tile.columns[row].label), ...columns.map(([, [, text]]) => h("th", { scope: "col" }, text)));
      const body = names(row).map(([name, [, text]]) => h("tr", {}, h("th", { scope: "row", class: "row text" }, text), ...columns.map(([other]) => {
        const index = cells.get(`${name} ${other}`);
        if (index === undefined) return h("td", {}, "");
        const cell = h("td", {}, h("data", { value: String(tile.rows[index][value]) }, this.asking(tile, index, value, tile.texts[index][value])));
        const largest = most.get(group(tile.rows[index]));
        if (largest > 0) cell.style.backgroundColor = `rgba(11, 110, 117, ${(0.3 * tile.rows[index][value]) / largest})`;
        return cell;
      })));
      return roved(h("table", {}, h("caption", { class: "unseen" }, `${tile.title}: ${tile.columns[value].label}`), h("thead", {}, head), h("tbody", {}, ...body)));
    }
  }

  function compare(a, b) {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return a < b ? -1 : 1;
  }

  // Places go in through CSSOM: the policy of the page forbids style attributes.
  function place(root, where) {
    if (!where) return void (root.style.gridColumn = "1 / span 36");
    root.style.gridColumn = `${where.column + 1} / span ${where.columns}`;
    root.style.gridRow = `${where.row + 1} / span ${where.rows}`;
  }

  function spark(values) {
    const numbers = values.map(Number);
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const x = (at) => (at / (numbers.length - 1)) * 100;
    const y = (value) => (high === low ? 16 : 30 - ((value - low) / (high - low)) * 28);
    const points = numbers.map((value, at) => `${x(at).toFixed(2)},${y(value).toFixed(2)}`).join(" L");
    const svg = document.createElementNS(SVG, "svg");
    const put = (name, attributes) => {
      const part = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
      svg.append(part);
    };
    for (const [key, value] of [["class", "spark"], ["viewBox", "0 0 100 32"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
    put("path", { d: `M0,32 L${points} L100,32 Z`, fill: "#0b6e75", "fill-opacity": "0.12" });
    put("path", { d: `M${points}`, fill: "none", stroke: "#0b6e75", "stroke-width": "1.6", "vector-effect": "non-scaling-stroke" });
    return svg;
  }

  let tipBox = null;
  // What a mark stands for, in the formats of its columns.
  function tip(event, tile, row) {
    tipBox?.remove();
    tipBox = null;
    if (!tile) return;
    const lines = tile.columns.flatMap((column, at) => [h("dt", {}, column.label), h("dd", {}, tile.texts[row][at])]);
    tipBox = h("div", { class: "tip", "aria-hidden": "true" }, h("dl", {}, ...lines));
    document.body.append(tipBox);
    const box = tipBox.getBoundingClientRect();
    tipBox.style.left = `${Math.max(8, Math.min(event.clientX + 14, window.innerWidth - box.width - 8))}px`;
    tipBox.style.top = `${Math.max(8, Math.min(event.clientY + 14, window.innerHeight - box.height - 8))}px`;
  }

  function textBox(element) {
    const root = h("section", { class: "tile text", "data-id": element.id, tabindex: "0", "aria-label": "About this dashboard" }, h("p", { class: "text-box" }, element.text));
    place(root, element.place);
    return root;
  }

  return { h, Tile, textBox, age, short, whole, address, named };
})();
