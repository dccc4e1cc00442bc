// Who is signed in, which page is open, and what is fetched again: everything else is a page's own.
import { OfflineError, ProblemError, SignedOutError } from "./api.js";
import * as dashboards from "./dashboards.js";
import { Pulse } from "./pulse.js";
import { complete, current, forget, signIn, signOut } from "./session.js";

const { h } = window.penstock;
const main = document.getElementById("main");
const live = document.getElementById("live");
const ROUTES = {
  "": () => dashboards.list,
  d: () => dashboards.one,
  n: () => import("./number.js").then((found) => found.page),
  jobs: () => import("./jobs.js").then((found) => found.page),
  failed: () => import("./failed.js").then((found) => found.page),
};
// Not allowed, not there, or cannot be read: asking again changes nothing.
const FINAL = [400, 403, 404, 409, 410];
let config = null;
let page = null;
let opened = 0;
let pulse = null;

// #/d/orders?sheet=days&f.currency=EUR: the kind of page, its names, and the choices on it.
function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [kind, ...names] = path.split("/").map(decodeURIComponent);
  return { kind, names, query: new URLSearchParams(query) };
}

function say(kind, words) {
  live.dataset.state = kind;
  document.getElementById("live-text").textContent = words;
}

function announce(words) {
  document.getElementById("announce").textContent = words;
}

function header(who) {
  const pages = who.isViewer ? [["", "Dashboards"], ["jobs", "Jobs"], ...(who.isOperator ? [["failed", "Failed records"]] : [])] : [];
  const here = ["d", "n"].includes(route().kind) ? "" : route().kind;
  const links = pages.map(([path, title]) => h("a", { href: `#/${path}`, "aria-current": path === here ? "page" : null }, title));
  document.getElementById("pages").replaceChildren(...links);
  const out = h("button", { type: "button", onclick: () => signOut(config) }, "Sign out");
  document.getElementById("who").replaceChildren(h("span", { class: "name" }, who.name), out);
  for (const id of ["pages", "live", "who"]) document.getElementById(id).hidden = false;
}

// The page of somebody who is not signed in. `why`: what happened, when something did.
function door(why = "") {
  pulse?.stop();
  page?.close();
  page = pulse = null;
  for (const id of ["pages", "live", "who"]) document.getElementById(id).hidden = true;
  document.title = "Sign in – Penstock";
  const go = h("button", { type: "button", class: "primary", onclick: () => signIn(config, location.hash) }, "Sign in");
  main.replaceChildren(h("div", { class: "door" }, h("h1", {}, "Reports"), h("p", { role: why ? "alert" : null }, why || "Sign in to see dashboards and jobs."), go));
  loaded();
}

// The page of somebody in no group: the API would refuse each question.
function outsider(who) {
  for (const id of ["pages", "live"]) document.getElementById(id).hidden = true;
  document.title = "No group yet – Penstock";
  main.replaceChildren(h("div", { class: "door" }, h("h1", {}, "You are in no group yet"),
    h("p", {}, `You are signed in as ${who.name}, but you are in neither of the groups viewers and operators.`),
    h("p", {}, "Ask whoever manages this site to put you into viewers, to see dashboards and jobs, or into operators, to start jobs too. Then sign out and in again.")));
  loaded();
}

function loaded() {
  main.dataset.loads = Number(main.dataset.loads) + 1;
}

// What a page failed with: the end of the sign-in, a break in the line, or words for people. Whether to go on.
function failed(error) {
  if (error instanceof SignedOutError) {
    forget();
    door("Your sign-in has ended. Sign in again, and this page comes back as it was.");
    return false;
  }
  if (!page?.isOpen && error instanceof ProblemError && FINAL.includes(error.status)) {
    live.hidden = true;
    main.replaceChildren(h("h1", {}, "This page cannot be opened"), h("p", { class: "problem", role: "alert" }, error.message));
    loaded();
    return false;
  }
  if (!page?.isOpen) {
    const words = error instanceof OfflineError ? "There is no connection. The page opens when it is back." : error.message;
    main.replaceChildren(h("h1", {}, "This page is not open yet"), h("p", { class: "problem", role: "alert" }, words));
    loaded();
  }
  return true;
}

async function open() {
  const mine = ++opened;
  const who = current();
  if (!who) return door();
  header(who);
  const { kind, names, query } = route();
  page?.close();
  page = null;
  if (!who.isViewer) return outsider(who);
  pulse ||= new Pulse(config.poll_seconds, { fetch: () => page?.fetch(), say, failed });
  const kindOf = ROUTES[kind];
  if (!kindOf) {
    main.replaceChildren(h("h1", {}, "No such page"), h("p", {}, h("a", { href: "#/" }, "All dashboards")));
    return loaded();
  }
  const make = await kindOf();
  if (mine !== opened) return undefined;
  page = make({ main, names, query, who, config, loaded, announce, again: () => pulse.now() });
  return pulse.now();
}

async function start() {
  config = await (await fetch("/config.json")).json();
  addEventListener("hashchange", () => {
    open();
    main.focus({ preventScroll: true });
  });
  try {
    await complete(config);
  } catch (error) {
    return door(`${error.message} Try again.`);
  }
  return open();
}

start().catch((error) => main.replaceChildren(h("p", { class: "problem", role: "alert" }, `The page could not be started: ${error.message}`)));
