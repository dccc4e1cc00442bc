// One event's way through the stages, asked for by its id.

import { byId, duration, element, shown } from "/_static/dom.js";

const AGAIN_MS = 700, TRIES = 120;
let asked = 0;

export function connectFollow() {
  byId("follow").addEventListener("submit", (event) => {
    event.preventDefault();
    follow(byId("event-id").value.trim());
  });
  byId("newest").addEventListener("click", takeNewest);
  const id = new URLSearchParams(location.search).get("event");
  if (id) follow(id);
}

async function takeNewest() {
  const answer = await fetch("/_event");
  const found = await answer.json();
  return found.event_id ? follow(found.event_id) : note(found.message);
}

/** Show the event, and look again until it is in every report or a newer question was asked. */
async function follow(id) {
  const mine = ++asked;
  byId("event-id").value = id;
  history.replaceState(null, "", `?event=${encodeURIComponent(id)}`);
  note("Looking for it …");
  for (let attempt = 0; attempt < TRIES && mine === asked; attempt += 1) {
    const answer = await fetch(`/_event/${encodeURIComponent(id)}`);
    const found = await answer.json();
    if (mine !== asked) return;
    if (found.steps) draw(found);
    note(found.steps ? sentence(found) : found.message);
    if (found.is_complete || found.may_come === false) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function sentence(found) {
  const where = `${found.event_type}, number ${shown(found.seq)} of ${found.producer_id}/${found.epoch}`;
  return found.is_complete ? `${where}: from produced to reported in ${duration(found.total_ms)}.` : `${where}: on its way.`;
}

function note(words) {
  byId("follow-note").textContent = words;
}

function draw(found) {
  const whole = Math.max(...found.steps.map((step) => (step.start_ms ?? 0) + (step.took_ms ?? 0)), 1);
  byId("timeline").replaceChildren(...found.steps.map((step) => row(step, whole)));
}

function row(step, whole) {
  const bar = document.createElement("i");
  const isDone = step.took_ms !== null;
  bar.style.left = `${(100 * (step.start_ms ?? 0)) / whole}%`;
  bar.style.width = isDone ? `${(100 * step.took_ms) / whole}%` : "0";
  return element("li", { class: "step", "data-state": isDone ? "done" : "waiting", "data-step": step.key },
    element("h3", {}, step.title),
    element("div", { class: "track" }, bar),
    element("p", { class: "took" }, duration(step.took_ms)),
    element("p", { class: "facts" }, Object.entries(step.facts).map(([name, value]) => `${name} ${value}`).join("   ")));
}
