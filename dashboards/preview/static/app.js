// The live page: the address holds every choice, the server holds every number.
(() => {
  "use strict";
  const { h, Board, address } = window.penstock;
  const main = document.getElementById("main");
  const name = decodeURIComponent(location.pathname.slice(1));
  let board = null;

  const state = {
    query: new URLSearchParams(location.search),
    get(key) { return this.query.getAll(key); },
    set(changes) {
      for (const [key, values] of Object.entries(changes)) {
        this.query.delete(key);
        values.forEach((value) => this.query.append(key, value));
      }
      history.replaceState(null, "", this.query.size ? `?${this.query}` : location.pathname);
      board.refresh();
    },
  };

  const host = {
    ask(sheet) {
      const query = new URLSearchParams(state.query);
      if (sheet.id !== board.frame.sheets[0].id) query.set("sheet", sheet.id);
      return json(`/api/${encodeURIComponent(name)}/tiles?${query}`);
    },
    links(tile) {
      const path = `/api/${encodeURIComponent(name)}/${encodeURIComponent(tile.id)}`;
      const link = (kind, label) => h("a", { href: `${path}.${kind}?${state.query}`, download: true, "data-key": kind, "aria-label": `${tile.title}: save as ${label}` }, label);
      return [link("csv", "CSV"), link("png", "PNG")];
    },
    receipt: (tile, row, column) => address(name, state.query, tile, row, column),
    bar(hasFilters) {
      return [h("a", { class: hasFilters ? "button" : "button push", href: "#", id: "export", download: true }, "Save as HTML")];
    },
    hidden: () => "",
    first: (tiles) => tiles,
    shown() {
      document.getElementById("export").href = `/${encodeURIComponent(name)}.html?${state.query}`;
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
    board?.close();
    if (!found.frame) {
      board = null;
      main.replaceChildren(h("h1", {}, "No such dashboard"), h("p", { class: "problem" }, error || `There is no dashboard ${name}. Choose one above.`));
      main.dataset.loads = Number(main.dataset.loads) + 1;
      return;
    }
    document.title = `${found.frame.title} – Penstock`;
    board = new Board(main, found.frame, state, host);
    await board.show(state.get("sheet")[0] || found.frame.sheets[0].id, found.answer);
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
        if (message.number !== number && board) await board.refresh();
        number = message.number;
        return;
      }
      number = message.number;
      const changed = message.changed?.filter((data_set) => board?.known.has(data_set));
      if (changed?.length === 0) return; // another dashboard's
      if (message.declarations) await open();
      else if (board) await board.refresh(changed);
      const clock = new Date().toISOString().slice(11, 19);
      say("live", `Live · updated ${clock}`);
      document.getElementById("announce").textContent = `Updated at ${clock}: ${(changed || ["definitions"]).join(", ")}`;
    };
    source.onerror = () => say("lost", "Connection lost, trying again");
  }

  open().catch((error) => main.replaceChildren(h("p", { class: "problem", role: "alert" }, error.message)));
  listen();
})();
