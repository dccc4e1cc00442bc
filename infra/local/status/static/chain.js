// The six stages.

import { clock, element, shown } from "/_static/dom.js";
import { sparkline } from "/_static/charts.js";

export function drawChain(chain, snapshot) {
  chain.dataset.flowing = String(snapshot.stages.some((stage) => stage.rate.at(-1) > 0));
  chain.replaceChildren(...snapshot.stages.map(stageCard));
}

function stageCard(stage) {
  const figures = stage.figures.flatMap(([name, value, isBad]) =>
    [element("dt", {}, name), element("dd", { class: isBad ? "bad" : null }, shown(value))]);
  return element("li", { class: "stage", "data-state": stage.state },
    element("h3", {}, stage.title),
    element("p", { class: "amount" }, shown(stage.amount)),
    element("p", { class: "unit" }, stage.unit),
    sparkline(stage.rate),
    element("dl", {}, ...figures),
    stage.last ? element("p", { class: "last" }, `${clock(stage.last.at)} ${stage.last.what}`) : null);
}
