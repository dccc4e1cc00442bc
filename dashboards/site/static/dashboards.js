// The list of dashboards, and one of them: numbers of a published version, or drawn anew for choices.
import { now, OfflineError, ProblemError, read, readNewest, save, send, SignedOutError } from "./api.js";
import { current } from "./session.js";

const { h, Board, age, named, short } = window.penstock;
const place = (...names) => names.map(encodeURIComponent).join("/");

// What is published. A page that opens with a dashboard asks before the chart library is read, which takes longer.
const isFirst = /^#?\/?(d\/|$)/.test(location.hash);
let first = isFirst && current()?.isViewer ? readNewest("/dashboards") : null;
first?.catch(() => {}); // whoever takes it meets the error

function published() {
  const asked = first || readNewest("/dashboards");
  first = null;
  return asked;
}

// Seconds since a time in UTC.
const goneBy = (through) => (through ? (now() - Date.parse(`${through}Z`)) / 1000 : null);
const isStale = (through, known) => Boolean(known?.stale_after_seconds && goneBy(through) > known.stale_after_seconds);

export function list({ main, loaded }) {
  let shown = "";
  const draw = (dashboards) => {
    const card = (each) => h("li", { class: "card" },
      h("h2", {}, h("a", { href: `#/d/${place(each.name)}` }, each.title)),
      Object.values(each.data_sets).some((data_set) => isStale(data_set.through, data_set)) ? h("p", {}, h("span", { class: "badge stale" }, "stale")) : null,
      h("p", {}, each.as_of ? `Data through ${short(each.as_of)} UTC, ${age(goneBy(each.as_of))}` : "Nothing is published yet."),
      h("p", { class: "sheets-of" }, ...each.sheets.flatMap((sheet) => [h("a", { href: `#/d/${place(each.name)}?sheet=${encodeURIComponent(sheet.id)}` }, sheet.name), " "])));
    const cards = dashboards.length ? h("ul", { class: "cards" }, ...dashboards.map(card)) : h("p", { class: "notice" }, "No dashboard is published yet. Publish with: penstock site publish");
    const focus = main.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    main.replaceChildren(h("h1", {}, "Dashboards"), cards);
    if (focus) main.querySelector(`a[href="${CSS.escape(focus)}"]`)?.focus();
    document.title = "Dashboards – Penstock";
  };
  return {
    isOpen: false,
    async fetch() {
      const { dashboards } = await published();
      const text = JSON.stringify(dashboards) + Math.floor(now() / 60_000);
      if (text !== shown) draw(dashboards);
      if (!this.isOpen) loaded();
      [shown, this.isOpen] = [text, true];
    },
    close() { this.isOpen = false; },
  };
}

export function one({ main, names: [name], query, loaded, announce, again }) {
  let board = null;
  let newest = null; // what the list says of this dashboard
  let version = null; // of the numbers on the page; null while they are not those of its choices
  let answered = null;
  let fetched = ""; // the version that was fetched last: numbers are drawn before they count as seen
  let asking = 0;

  const state = {
    query,
    get(key) { return this.query.getAll(key); },
    set(changes) {
      for (const [key, values] of Object.entries(changes)) {
        this.query.delete(key);
        values.forEach((value) => this.query.append(key, value));
      }
      history.replaceState(null, "", `#/d/${place(name)}${this.query.size ? `?${this.query}` : ""}`);
      version = null;
      board.refresh();
    },
  };

  // What the viewer has chosen, as the API takes it: the address without the sheet.
  function choices() {
    const found = new URLSearchParams(state.query);
    found.delete("sheet");
    return found.toString();
  }

  const path = (...more) => `/dashboards/${place(name, ...more)}`;

  async function readList() {
    const { dashboards } = await published();
    newest = dashboards.find((each) => each.name === name);
  }

  function question(sheet) {
    const given = choices();
    if (!given) return read(`${path("sheets", sheet.id)}?v=${encodeURIComponent(newest.version)}`);
    return send(path("view"), { sheet: sheet.id, version: newest.version, state: given });
  }

  // The numbers say how far they go. They may be read much later than they were written: how old they are is said now.
  function aged(answer) {
    for (const [data_set, fresh] of Object.entries(answer.fresh)) {
      fresh.age_seconds = goneBy(fresh.through);
      fresh.is_stale = isStale(fresh.through, newest.data_sets[data_set]);
    }
    for (const tile of answer.tiles) tile.is_stale = answer.fresh[tile.data_set]?.is_stale ?? false;
    return answer;
  }

  // The numbers of the version that is seen, under the choices that are.
  async function keep(tile) {
    try {
      await save(`${path("sheets", board.sheet.id, "visuals", tile.id)}.csv?v=${encodeURIComponent(answered.version)}&${choices()}`, `${name}-${tile.id}.csv`);
    } catch (error) {
      board.parts.problem.replaceChildren(h("p", { class: "problem", role: "alert" }, `The file could not be saved: ${error.message}`));
      if (error instanceof SignedOutError) again();
    }
  }

  const host = {
    async ask(sheet) {
      asking += 1;
      try {
        let asked = newest.version;
        const answer = await question(sheet).catch(async (error) => {
          if (!(error instanceof ProblemError) || error.status !== 410) throw error;
          await readList(); // the version is kept no longer: the page stood open for a month
          asked = newest.version;
          return question(sheet);
        });
        fetched = asked;
        return { ...aged(answer), version: asked };
      } catch (error) {
        if (error instanceof SignedOutError || error instanceof OfflineError) again();
        throw error;
      } finally {
        asking -= 1;
      }
    },
    links(tile) {
      return [h("button", { type: "button", "data-key": "csv", "aria-label": `${tile.title}: save as CSV`, onclick: () => keep(tile) }, "CSV")];
    },
    // The page that says what a number is computed from, in the version that is seen.
    receipt(tile, row, column) {
      const asked = named(state.query, tile, row, column);
      asked.set("v", fetched);
      return `#/n/${place(name, tile.id)}?${asked}`;
    },
    bar: () => [],
    // What is below the screen is drawn after what is on it.
    first: (tiles) => tiles.filter((tile) => tile.root.getBoundingClientRect().top < innerHeight),
    hidden() {
      const lines = Object.entries(newest.hidden).map(([data_set, groups]) => `You see no rows of ${data_set.replaceAll("_", " ")}: members of ${groups.join(", ")} do.`);
      return lines.length ? `${lines.join(" ")} Ask whoever manages this site to put you into one of these groups, and sign in again.` : "";
    },
    shown(answer) {
      version = answer.version;
      answered = answer;
    },
  };

  async function open() {
    const wanted = state.get("sheet")[0];
    const sheet = newest.sheets.find(({ id }) => id === wanted) || newest.sheets[0];
    const answer = await host.ask(sheet);
    document.title = `${newest.title} – Penstock`;
    board = new Board(main, answer.frame, state, host);
    await board.show(sheet.id, answer);
  }

  return {
    isOpen: false,
    async fetch() {
      await readList();
      if (!newest) {
        if (this.isOpen) return;
        main.replaceChildren(h("h1", {}, "No such dashboard"), h("p", { class: "notice" }, `There is no dashboard ${name}, or nothing of it is published yet.`, h("a", { href: "#/" }, "All dashboards")));
        this.isOpen = true;
        loaded();
      } else if (!board) {
        await open();
        this.isOpen = true;
      } else if (asking) {
        // The numbers of a choice are on their way, and are those of the newest version.
      } else if (newest.version !== version) {
        const isNews = version !== null;
        await board.refresh(isNews ? [...board.known] : []);
        if (isNews && version === newest.version) announce(`Updated at ${new Date(now()).toISOString().slice(11, 19)}`);
      } else {
        board.freshness(aged(answered));
      }
    },
    close() {
      board?.close();
      this.isOpen = false;
    },
  };
}
