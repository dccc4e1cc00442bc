// The live page: the address holds every choice, the server holds every number.
(() => {
  "use strict";
  const { h, Tile, textBox, age, short, whole, controls } = window.penstock;
  const main = document.getElementById("main");
  const name = decodeURIComponent(location.pathname.slice(1));
  let frame = null;
  let sheet = null;
  let tiles = new Map();
  let bar = null;
  let asked = 0;
  let known = new Set();
  let parts = {};

  const state = {
    query: new URLSearchParams(location.search),
    get(key) { return this.query.getAll(key); },
    set(changes) {
      for (const [key, values] of Object.entries(changes)) {
        this.query.delete(key);
        values.forEach((value) => this.query.append(key, value));
      }
      history.replaceState(null, "", this.query.size ? `?${this.query}` : location.pathname);
      refresh();
    },
  };

  async function json(path) {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error((await answer.text()) || `${path} answered ${answer.status}`);
    return answer.json();
  }

  // The first answer came with the page: no question has to go and come back before numbers are seen.
  let opening = JSON.parse(document.getElementById("opening").textContent);
  let number = opening.number;

  async function open() {
    const found = opening || (await json(`/api/${encodeURIComponent(name)}/opening?${state.query}`));
    opening = null;
    const { pages, error } = found;
    document.getElementById("pages").replaceChildren(...pages.map((page) =>
      h("a", { href: `/${page.name}`, "aria-current": page.name === name ? "page" : null }, page.title)));
    if (!found.frame) {
      main.replaceChildren(h("h1", {}, "No such dashboard"), h("p", { class: "problem" }, error || `There is no dashboard ${name}. Choose one above.`));
      main.dataset.loads = Number(main.dataset.loads) + 1;
      return;
    }
    frame = found.frame;
    document.title = `${frame.title} – Penstock`;
    parts = {
      fresh: h("div", { class: "fresh" }), problem: h("div", {}), elsewhere: h("div", {}), bar: h("div", { class: "controls", role: "region", "aria-label": "Filters" }),
      chips: h("div", { class: "chips" }), tabs: h("div", { class: "sheets", role: "tablist", "aria-label": "Sheets" }),
      grid: h("div", { class: "grid", role: "tabpanel", id: "grid" }),
    };
    const foot = h("p", { class: "foot" }, "Numbers, structure and states are those of the deployed definition; colors and fonts are not QuickSight's. Times are UTC.");
    main.replaceChildren(h("div", { class: "head" }, h("h1", {}, frame.title), parts.fresh), parts.problem, parts.tabs, parts.bar, parts.elsewhere, parts.chips, parts.grid, ...limits(), ...copies(), foot);
    parts.tabs.replaceChildren(...frame.sheets.map((each) => h("button", {
      type: "button", role: "tab", id: `tab-${each.id}`, "aria-controls": "grid", onclick: () => show(each.id),
      onkeydown: (event) => step(event, each.id),
    }, each.name)));
    await show(state.get("sheet")[0] || frame.sheets[0].id, found.answer);
  }

  // How far QuickSight may be behind what is seen here, which is always the newest publish.
  function copies() {
    return frame.copies.map((copy) => h("p", { class: "foot" },
      `In QuickSight, ${copy.data_set.replaceAll("_", " ")} is a copy: it is read after a publish, at most ${copy.at_most_minutes} minutes later plus the reading itself`
      + `${copy.is_scheduled ? ", and its newest rows every 15 minutes" : ""}. All else is asked for live.`));
  }

  function limits() {
    if (!frame.limits.length) return [];
    const lines = frame.limits.map((limit) => h("li", {}, h("strong", {}, limit.what), ` ${limit.reason}`));
    return [h("details", { class: "limits" }, h("summary", {}, `${frame.limits.length} things in this definition are not shown by the preview`), h("ul", {}, ...lines))];
  }

  function step(event, id) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    const at = frame.sheets.findIndex((each) => each.id === id);
    const next = frame.sheets[(at + way + frame.sheets.length) % frame.sheets.length];
    show(next.id);
    document.getElementById(`tab-${next.id}`).focus();
  }

  async function show(id, answer) {
    sheet = frame.sheets.find((each) => each.id === id) || frame.sheets[0];
    for (const tab of parts.tabs.children) {
      const isChosen = tab.id === `tab-${sheet.id}`;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
    parts.grid.setAttribute("aria-labelledby", `tab-${sheet.id}`);
    const actions = {
      links: (tile) => links(tile),
      click: (visual, value) => state.set({ [`c.${visual}`]: state.get(`c.${visual}`)[0] === String(value) ? [] : [String(value)] }),
      drill: (visual, unit, start) => state.set({ [`d.${visual}`]: [...state.get(`d.${visual}`), `${unit}@${start}`] }),
      viewer: () => state.get("as").length > 0,
    };
    tiles.forEach((tile) => tile.dropChart());
    tiles = new Map();
    parts.grid.replaceChildren(...sheet.elements.map((element) => {
      if (element.type === "text") return textBox(element);
      const tile = new Tile(element, actions);
      tiles.set(element.id, tile);
      return tile.root;
    }));
    bar = controls.build(frame, sheet, state);
    parts.bar.replaceChildren(...bar.parts, h("a", { class: bar.parts.length ? "button" : "button push", href: "#", id: "export", download: true }, "Save as HTML"));
    parts.bar.hidden = false;
    if (answer !== undefined) await refresh([], answer);
    else state.set({ sheet: sheet.id === frame.sheets[0].id ? [] : [sheet.id] });
  }

  function links(tile) {
    if (tile.state !== "data" && tile.state !== "empty") return [];
    const path = `/api/${encodeURIComponent(name)}/${encodeURIComponent(tile.id)}`;
    const link = (kind, label) => h("a", { href: `${path}.${kind}?${state.query}`, download: true, "data-key": kind, "aria-label": `${tile.title}: save as ${label}` }, label);
    return [link("csv", "CSV"), link("png", "PNG")];
  }

  // `given`: the answer, when it is here already.
  async function refresh(changed, given) {
    const mine = ++asked;
    const query = new URLSearchParams(state.query);
    if (sheet.id !== frame.sheets[0].id) query.set("sheet", sheet.id);
    let answer = given;
    try {
      answer ||= await json(`/api/${encodeURIComponent(name)}/tiles?${query}`);
    } catch (error) {
      if (mine === asked) parts.problem.replaceChildren(h("p", { class: "problem", role: "alert" }, `The numbers could not be read: ${error.message}`));
      return;
    }
    // Answers may overtake each other: only the latest question's counts.
    if (mine !== asked) return;
    bar.update(answer);
    for (const drawn of answer.tiles) {
      const tile = tiles.get(drawn.id);
      tile.draw(drawn, answer);
      if (changed?.includes(drawn.data_set)) flash(tile.root);
    }
    await Promise.all([...tiles.values()].map((tile) => tile.drawn));
    document.getElementById("export").href = `/${encodeURIComponent(name)}.html?${state.query}`;
    chips(answer);
    freshness(answer);
    elsewhere(answer);
    main.dataset.loads = Number(main.dataset.loads) + 1;
  }

  function flash(root) {
    root.classList.remove("refreshed");
    void root.offsetWidth;
    root.classList.add("refreshed");
  }

  function chips(answer) {
    const found = [];
    const chip = (text, key, values) => found.push(h("button", { type: "button", "data-key": key, onclick: () => state.set({ [key]: values }), "aria-label": `Remove: ${text}` }, `${text} ×`));
    for (const tile of answer.tiles) {
      const chosen = state.get(`c.${tile.id}`)[0];
      if (chosen && tile.click) chip(`${tile.columns[tile.click.column].label}: ${chosen}`, `c.${tile.id}`, []);
      const steps = state.get(`d.${tile.id}`);
      if (steps.length) chip(`${tile.title}: ${short(steps.at(-1).split("@")[1]).replace(" 00:00", "")}`, `d.${tile.id}`, steps.slice(0, -1));
    }
    parts.chips.replaceChildren(...found);
  }

  function freshness(answer) {
    known = new Set(Object.keys(answer.fresh));
    parts.fresh.replaceChildren(...Object.entries(answer.fresh).map(([data_set, fresh]) => {
      const word = fresh.error ? h("span", { class: "badge bad" }, "not read") : fresh.is_stale ? h("span", { class: "badge stale" }, "stale") : null;
      const read = `${whole(fresh.rows)} rows, read ${short(fresh.read_at)} UTC`;
      return h("span", { title: fresh.error || read, "data-fresh": data_set }, `${data_set.replaceAll("_", " ")}: ${fresh.through ? `through ${short(fresh.through)}, ${age(fresh.age_seconds)}` : "no data"} `, word);
    }));
    const errors = [answer.error, ...Object.entries(answer.fresh).filter(([, fresh]) => fresh.error).map(([data_set, fresh]) => `${data_set}: ${fresh.error}`)].filter(Boolean);
    parts.problem.replaceChildren(...errors.map((error) => h("p", { class: "problem", role: "alert" }, error)));
  }

  // Old data is a page that looks broken unless it says where the data is.
  function elsewhere(answer) {
    const { from, to } = answer.data_range;
    const isAllEmpty = answer.tiles.length > 0 && answer.tiles.every((tile) => tile.state === "empty");
    const all = [...parts.bar.querySelectorAll(".presets button")].at(-1);
    parts.elsewhere.replaceChildren(...(isAllEmpty && from && all && !state.get("as").length
      ? [h("p", { class: "notice" }, `No data in this range. There is data from ${short(from)} to ${short(to)} UTC.`, h("button", { type: "button", "data-key": "all", onclick: () => all.click() }, "Show all data"))]
      : []));
  }

  function listen() {
    const live = document.getElementById("live");
    const text = document.getElementById("live-text");
    const say = (kind, words) => { live.dataset.state = kind; text.textContent = words; };
    const source = new EventSource("/events");
    source.onmessage = async (event) => {
      const message = JSON.parse(event.data);
      say("live", "Live");
      if (message.hello) {
        // What was said before the line was up is not said again: look once when there was something.
        if (message.number !== number && frame) await refresh();
        number = message.number;
        return;
      }
      number = message.number;
      const changed = message.changed?.filter((data_set) => known.has(data_set));
      if (changed?.length === 0) return; // another dashboard's
      if (message.declarations) await open();
      else if (frame) await refresh(changed);
      const clock = new Date().toISOString().slice(11, 19);
      say("live", `Live · updated ${clock}`);
      document.getElementById("announce").textContent = `Updated at ${clock}: ${(changed || ["definitions"]).join(", ")}`;
    };
    source.onerror = () => say("lost", "Connection lost, trying again");
  }

  open().catch((error) => main.replaceChildren(h("p", { class: "problem", role: "alert" }, error.message)));
  listen();
})();
