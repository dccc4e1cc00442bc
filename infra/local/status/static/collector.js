// The collector, where a project takes events over HTTP.

import { element, shown } from "/_static/dom.js";

export function drawCollector(section, place, facts, collector) {
  section.hidden = !collector;
  if (!collector) return;
  place.textContent = `${collector.place}/v1/batch`;
  const dead = sum(collector.dead_letter_queue);
  facts.replaceChildren(
    fact("Stack", collector.stack),
    fact("Function", collector.function),
    fact("Messages waiting", shown(collector.queue.waiting + collector.queue.delayed)),
    fact("In flight", shown(collector.queue["in flight"])),
    fact("Dead letters", shown(dead), dead > 0));
}

function fact(name, value, isBad = false) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: isBad ? "bad" : null }, value));
}

function sum(counts) {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}
