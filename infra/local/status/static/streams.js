// What passed each stream, where a project has several.

import { element, shown } from "/_static/dom.js";

const COUNTS = ["read", "rows", "failed", "dropped", "buffered", "behind_ms", "function_errors"];

export function drawStreams(section, body, streams) {
  section.hidden = streams.length < 2;
  body.replaceChildren(...streams.map((stream) =>
    element("tr", { "data-stream": stream.name },
      element("th", { scope: "row" }, stream.name),
      element("td", {}, stream.ingest),
      ...COUNTS.map((name) => element("td", { class: "figure" }, shown(stream[name]))))));
}
