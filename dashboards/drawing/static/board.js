// A dashboard on a page: its sheets, filters and tiles, what is chosen, and how fresh it is.
window.penstock.Board = (() => {
  "use strict";
  const { h, Tile, textBox, age, short, whole, controls } = window.penstock;

  return class Board {
    // state: {get(key) -> values, set(changes)}, the choices in the page's address. host, whose numbers these are:
    // ask(sheet) -> the answer, links(tile) -> elements, bar() -> elements behind the filters, shown(answer),
    // hidden() -> why rows are hidden from this viewer; empty when none are; first(tiles) -> those of them without
    // which the page does not count as drawn; where numbers have receipts, receipt(tile, row, column) -> the address
    // of one.
    constructor(main, frame, state, host) {
      Object.assign(this, { main, frame, state, host, sheet: null, tiles: new Map(), bar: null, asked: 0, known: new Set() });
      this.parts = {
        fresh: h("div", { class: "fresh" }), problem: h("div", {}), elsewhere: h("div", {}), bar: h("div", { class: "controls", role: "region", "aria-label": "Filters" }),
        chips: h("div", { class: "chips" }), tabs: h("div", { class: "sheets", role: "tablist", "aria-label": "Sheets" }),
        grid: h("div", { class: "grid", role: "tabpanel", id: "grid" }),
      };
      const { fresh, problem, tabs, bar, elsewhere, chips, grid } = this.parts;
      const foot = h("p", { class: "foot" }, "Numbers, structure and states are those of the deployed definition; colors and fonts are not QuickSight's. Times are UTC.");
      main.replaceChildren(h("div", { class: "head" }, h("h1", {}, frame.title), fresh), problem, tabs, bar, elsewhere, chips, grid, ...this.limits(), ...this.copies(), foot);
      tabs.replaceChildren(...frame.sheets.map((each) => h("button", {
        type: "button", role: "tab", id: `tab-${each.id}`, "aria-controls": "grid", onclick: () => this.show(each.id),
        onkeydown: (event) => this.step(event, each.id),
      }, each.name)));
    }

    // How far QuickSight may be behind what is seen here, which is always the newest publish.
    copies() {
      return this.frame.copies.map((copy) => h("p", { class: "foot" },
        `In QuickSight, ${copy.data_set.replaceAll("_", " ")} is a copy: it is read after a publish, at most ${copy.at_most_minutes} minutes later plus the reading itself`
        + `${copy.is_scheduled ? ", and its newest rows every 15 minutes" : ""}. All else is asked for live.`));
    }

    limits() {
      const { limits } = this.frame;
      if (!limits.length) return [];
      const lines = limits.map((limit) => h("li", {}, h("strong", {}, limit.what), ` ${limit.reason}`));
      return [h("details", { class: "limits" }, h("summary", {}, `${limits.length} things in this definition are not shown here`), h("ul", {}, ...lines))];
    }

    step(event, id) {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!way) return;
      const { sheets } = this.frame;
      const at = sheets.findIndex((each) => each.id === id);
      const next = sheets[(at + way + sheets.length) % sheets.length];
      this.show(next.id);
      document.getElementById(`tab-${next.id}`).focus();
    }

    // `answer`: the sheet's, when it is here already.
    async show(id, answer) {
      const { frame, parts, state } = this;
      this.sheet = frame.sheets.find((each) => each.id === id) || frame.sheets[0];
      for (const tab of parts.tabs.children) {
        const isChosen = tab.id === `tab-${this.sheet.id}`;
        tab.setAttribute("aria-selected", String(isChosen));
        tab.tabIndex = isChosen ? 0 : -1;
      }
      parts.grid.setAttribute("aria-labelledby", `tab-${this.sheet.id}`);
      const actions = {
        links: (tile) => (tile.state === "data" || tile.state === "empty" ? this.host.links(tile) : []),
        click: (visual, value) => state.set({ [`c.${visual}`]: state.get(`c.${visual}`)[0] === String(value) ? [] : [String(value)] }),
        drill: (visual, unit, start) => state.set({ [`d.${visual}`]: [...state.get(`d.${visual}`), `${unit}@${start}`] }),
        receipt: this.host.receipt,
        viewer: () => state.get("as").length > 0 || Boolean(this.host.hidden()),
      };
      this.close();
      parts.grid.replaceChildren(...this.sheet.elements.map((element) => {
        if (element.type === "text") return textBox(element);
        const tile = new Tile(element, actions);
        this.tiles.set(element.id, tile);
        return tile.root;
      }));
      this.bar = controls.build(frame, this.sheet, state);
      parts.bar.replaceChildren(...this.bar.parts, ...this.host.bar(this.bar.parts.length > 0));
      parts.bar.hidden = parts.bar.children.length === 0;
      if (answer !== undefined) await this.refresh([], answer);
      else state.set({ sheet: this.sheet.id === frame.sheets[0].id ? [] : [this.sheet.id] });
    }

    // The charts hold memory until they are dropped.
    close() {
      this.asked += 1;
      this.tiles.forEach((tile) => tile.dropChart());
      this.tiles = new Map();
    }

    // `changed`: datasets whose visuals flash. `given`: the answer, when it is here already.
    async refresh(changed, given) {
      const mine = ++this.asked;
      const { parts } = this;
      let answer = given;
      try {
        answer ||= await this.host.ask(this.sheet);
      } catch (error) {
        if (mine === this.asked) parts.problem.replaceChildren(h("p", { class: "problem", role: "alert" }, `The numbers could not be read: ${error.message}`));
        return;
      }
      // Answers may overtake each other: only the latest question's counts.
      if (mine !== this.asked) return;
      this.bar.update(answer);
      const answers = new Map(answer.tiles.map((drawn) => [drawn.id, drawn]));
      const all = [...answers.keys()].map((id) => this.tiles.get(id));
      const first = this.host.first(all);
      // Charts are drawn in this order.
      for (const tile of [...first, ...all.filter((each) => !first.includes(each))]) {
        const found = answers.get(tile.element.id);
        tile.draw(found, answer);
        if (changed?.includes(found.data_set)) flash(tile.root);
      }
      const drawn = (tiles) => Promise.all(tiles.map((tile) => tile.drawn));
      // Begun before anything is awaited: no failure goes unheard.
      const whole = drawn(all).then(() => null, (error) => error);
      await drawn(first);
      this.host.shown(answer);
      this.chips(answer);
      this.freshness(answer);
      this.elsewhere(answer);
      this.main.dataset.loads = Number(this.main.dataset.loads) + 1;
      whole.then((error) => mine === this.asked && this.finish(error));
    }

    // Charts below the screen are drawn, too: `data-drawn` is the load that is whole.
    finish(error) {
      if (error) this.parts.problem.append(h("p", { class: "problem", role: "alert" }, `A chart could not be drawn: ${error.message}`));
      else this.main.dataset.drawn = this.main.dataset.loads;
    }

    chips(answer) {
      const { state } = this;
      const found = [];
      const chip = (text, key, values) => found.push(h("button", { type: "button", "data-key": key, onclick: () => state.set({ [key]: values }), "aria-label": `Remove: ${text}` }, `${text} ×`));
      for (const tile of answer.tiles) {
        const chosen = state.get(`c.${tile.id}`)[0];
        if (chosen && tile.click) chip(`${tile.columns[tile.click.column].label}: ${chosen}`, `c.${tile.id}`, []);
        const steps = state.get(`d.${tile.id}`);
        if (steps.length) chip(`${tile.title}: ${short(steps.at(-1).split("@")[1]).replace(" 00:00", "")}`, `d.${tile.id}`, steps.slice(0, -1));
      }
      this.parts.chips.replaceChildren(...found);
    }

    freshness(answer) {
      const { parts } = this;
      this.known = new Set(Object.keys(answer.fresh));
      parts.fresh.replaceChildren(...Object.entries(answer.fresh).map(([data_set, fresh]) => {
        const word = fresh.error ? h("span", { class: "badge bad" }, "not read") : fresh.is_stale ? h("span", { class: "badge stale" }, "stale") : null;
        const read = `${whole(fresh.rows)} rows, read ${short(fresh.read_at)} UTC`;
        return h("span", { title: fresh.error || read, "data-fresh": data_set }, `${data_set.replaceAll("_", " ")}: ${fresh.through ? `through ${short(fresh.through)}, ${age(fresh.age_seconds)}` : "no data"} `, word);
      }));
      const errors = [answer.error, ...Object.entries(answer.fresh).filter(([, fresh]) => fresh.error).map(([data_set, fresh]) => `${data_set}: ${fresh.error}`)].filter(Boolean);
      parts.problem.replaceChildren(...errors.map((error) => h("p", { class: "problem", role: "alert" }, error)));
    }

    // Old data is a page that looks broken unless it says where the data is.
    elsewhere(answer) {
      const { from, to } = answer.data_range;
      const hidden = this.host.hidden();
      if (hidden) {
        this.parts.elsewhere.replaceChildren(h("p", { class: "notice" }, hidden));
        return;
      }
      const isAllEmpty = answer.tiles.length > 0 && answer.tiles.every((tile) => tile.state === "empty");
      const all = [...this.parts.bar.querySelectorAll(".presets button")].at(-1);
      this.parts.elsewhere.replaceChildren(...(isAllEmpty && from && all && !this.state.get("as").length
        ? [h("p", { class: "notice" }, `No data in this range. There is data from ${short(from)} to ${short(to)} UTC.`, h("button", { type: "button", "data-key": "all", onclick: () => all.click() }, "Show all data"))]
        : []));
    }
  };

  function flash(root) {
    root.classList.remove("refreshed");
    void root.offsetWidth;
    root.classList.add("refreshed");
  }
})();
