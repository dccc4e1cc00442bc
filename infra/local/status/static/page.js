// The page: one stream of snapshots from the local server drives everything on it.

import { byId, clock, element } from "/_static/dom.js";
import { drawChain } from "/_static/chain.js";
import { connectFollow } from "/_static/follow.js";
import { drawStreams } from "/_static/streams.js";
import { drawCollector } from "/_static/collector.js";
import { drawReports } from "/_static/reports.js";
import { drawFaults } from "/_static/faults.js";

const KEPT = 200;

function connect() {
  const source = new EventSource("/_events");
  source.addEventListener("open", () => say("live", "live"));
  source.addEventListener("error", () => say("lost", "no connection; trying again"));
  source.addEventListener("snapshot", (message) => show(JSON.parse(message.data)));
  source.addEventListener("happenings", (message) => remember(JSON.parse(message.data)));
}

function say(state, words) {
  const link = byId("link");
  if (link.dataset.state === state) return;
  link.dataset.state = state;
  link.textContent = words;
}

function show(snapshot) {
  byId("place").textContent = snapshot.place;
  drawChain(byId("chain"), snapshot);
  drawStreams(byId("streams-section"), byId("streams"), snapshot.streams);
  drawCollector(byId("collector-section"), byId("collector-place"), byId("collector"), snapshot.collector);
  drawReports(byId("reports"), snapshot.reports);
  drawFaults(byId("faults-section"), byId("faults"), snapshot.faults);
}

function remember(happenings) {
  const rows = happenings.reverse().map((each) =>
    element("tr", { "data-stage": each.stage },
      element("td", { class: "number" }, clock(each.at)),
      element("td", {}, each.stage),
      element("td", {}, each.what),
      element("td", { class: "wide" }, Object.entries(each.facts).filter(([, value]) => value !== "" && value !== null).map(([name, value]) => `${name} ${text(value)}`).join("  "))));
  const body = byId("activity");
  body.prepend(...rows);
  while (body.rows.length > KEPT) body.deleteRow(-1);
}

function text(value) {
  const written = typeof value === "string" ? value : JSON.stringify(value);
  return written.length > 160 ? `${written.slice(0, 159)}…` : written;
}

function theme() {
  const button = byId("theme"), root = document.documentElement;
  const set = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
  };
  set(localStorage.getItem("theme") ? localStorage.getItem("theme") === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  button.addEventListener("click", () => {
    const dark = root.dataset.theme !== "dark";
    localStorage.setItem("theme", dark ? "dark" : "light");
    set(dark);
  });
}

theme();
connectFollow();
connect();
