// Failed records of the last days by reason, for operators: how many, and a few of each. Nothing that they say.
import { readNewest } from "./api.js";
import { table } from "./rows.js";

const { h, short, whole } = window.penstock;
const DAYS = [1, 7, 30];

const counts = (found) => Object.entries(found).map(([name, count]) => `${name || "unknown"} ${whole(count)}`).join(", ");
const position = (sample) => [sample.place, sample.line === null ? "" : `line ${sample.line}`, sample.line_reason].filter(Boolean).join(", ") || sample.code;
const sequence = (sample) => (sample.producer_id ? `${sample.producer_id}, ${sample.epoch ?? "?"}, ${sample.seq ?? "?"}` : "");

function samples(reason) {
  const rows = reason.samples.map((sample) => [h("code", {}, sample.record_id), `${short(sample.arrival_time)} UTC`, sample.event_type || "unknown", position(sample), sequence(sample), sample.is_replayed ? "yes" : "no"]);
  return h("details", { class: "starter" }, h("summary", {}, `${reason.reason}: the newest ${whole(rows.length)}`),
    table(`Samples of ${reason.reason}`, ["id", "arrived", "type", "where", "producer, epoch, seq", "replayed"], rows),
    h("p", { class: "said" }, "One of them, whole: ", h("code", {}, `penstock failed explain ${reason.samples[0].record_id}`), ". After a repair: ", h("code", {}, `penstock failed replay --reason ${reason.reason}`), "."));
}

function answer(found) {
  const events = found.reasons.reduce((sum, { events: count }) => sum + count, 0);
  const said = [`${whole(events)} events failed since ${found.since}, in ${whole(found.objects)} error objects.`];
  if (!found.is_complete) said.push("There are more error objects than a page reads; these are the newest. All of them: penstock failed list.");
  if (found.unreadable) said.push(`${whole(found.unreadable)} stretches of error objects cannot be read.`);
  const rows = found.reasons.map((each) => [each.reason, whole(each.events), whole(each.to_replay), counts(each.event_types), counts(each.streams), each.newest ? `${short(each.newest)} UTC` : "unknown"]);
  return [
    h("p", {}, said.join(" ")),
    ...(rows.length ? [table("Failed records by reason", ["reason", "events", "to replay", "types", "streams", "newest"], rows), h("h2", {}, "Samples"), ...found.reasons.map(samples)] : [h("p", { class: "notice" }, "Nothing failed.")]),
  ];
}

// Each reading takes seconds, so it is made when somebody asks for it.
export function page({ main, loaded, announce, again }) {
  const body = h("div", {});
  let days = 7;
  let isRead = false;
  const buttons = DAYS.map((each) => h("button", { type: "button", "aria-pressed": String(each === days), onclick: () => ask(each) }, each === 1 ? "Today" : `${each} days`));
  const bar = h("div", { class: "controls", role: "group", "aria-label": "Time range" }, h("span", { class: "presets" }, ...buttons), h("button", { type: "button", onclick: () => ask(days) }, "Read again"));

  function ask(wanted) {
    days = wanted;
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(DAYS[at] === days)));
    isRead = false;
    again();
  }

  return {
    isOpen: false,
    async fetch() {
      if (isRead) return;
      const asked = days;
      const found = await readNewest(`/failed?days=${asked}`);
      if (asked !== days) return;
      isRead = true;
      body.replaceChildren(...answer(found));
      if (!this.isOpen) {
        document.title = "Failed records – Penstock";
        main.replaceChildren(h("h1", {}, "Failed records"), bar, body);
        this.isOpen = true;
      } else {
        announce("Read again");
      }
      loaded();
    },
    close() {},
  };
}
