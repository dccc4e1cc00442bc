// The form by which operators ask for a job. A request that is sent again, for want of an answer, is the same job.
import { read, send } from "./api.js";

const { h, whole } = window.penstock;
const label = (name, input) => h("span", { class: "group" }, h("label", { for: input.id }, name), input);

// The page's choice of a time as the name of a partition.
const partition = (text, grain) => (grain === "event_hour" ? text.slice(0, 13).replace("T", "-") : text.slice(0, 10));

function fields(reports) {
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const report = h("select", { id: "job-report" }, ...reports.map(({ name }) => h("option", { value: name }, name)));
  const [from, to] = ["job-from", "job-to"].map((id) => h("input", { id, required: true }));
  const force = h("input", { type: "checkbox", id: "job-force" });
  const grain = () => reports.find(({ name }) => name === report.value)?.grain;
  const typed = () => {
    const isHours = grain() === "event_hour";
    for (const [input, hour] of [[from, "00"], [to, "23"]]) {
      input.type = isHours ? "datetime-local" : "date";
      input.step = isHours ? "3600" : "1";
      input.value = isHours ? `${yesterday}T${hour}:00` : yesterday;
    }
  };
  report.addEventListener("change", typed);
  typed();
  const parts = [label("Report", report), label("From (UTC)", from), label("To (UTC)", to), label("Also what would not change", force)];
  const body = () => ({ kind: "backfill", report: report.value, from: partition(from.value, grain()), to: partition(to.value, grain()), force: force.checked });
  return { parts, body };
}

function files() {
  const prefix = h("input", { id: "job-prefix", type: "text" });
  const source = h("input", { id: "job-source", type: "text", required: true });
  return { parts: [label("Files in the inbox that begin with", prefix), label("Source", source)], body: () => ({ kind: "import", prefix: prefix.value, source: source.value }) };
}

export async function starter(again) {
  const { reports } = await read("/reports");
  const made = { backfill: fields(reports), import: files() };
  const kind = h("select", { id: "job-kind" }, h("option", { value: "backfill" }, "Compute reports again"), h("option", { value: "import" }, "Import files"));
  const inside = h("span", { class: "fields" });
  const said = h("p", { class: "said", role: "status" });
  const go = h("button", { type: "submit", class: "primary" }, "Start");
  const choose = () => inside.replaceChildren(...made[kind.value].parts);
  let [key, sent] = ["", ""];
  kind.addEventListener("change", choose);
  choose();

  async function submit(event) {
    event.preventDefault();
    const body = made[kind.value].body();
    if (JSON.stringify(body) !== sent) [key, sent] = [crypto.randomUUID(), JSON.stringify(body)];
    go.disabled = true;
    try {
      const job = await send("/jobs", body, { "Idempotency-Key": key });
      sent = "";
      const takes = job.expected.files ? `${whole(job.expected.files)} files` : `${whole(job.expected.partitions)} partitions`;
      said.replaceChildren(`Taken: ${takes}. `, h("a", { href: `#/jobs/${encodeURIComponent(job.job_id)}` }, "Follow it"));
      again();
    } catch (error) {
      const other = error.problem?.job_id;
      said.replaceChildren(h("span", { class: "problem" }, error.message, ...(other ? [" ", h("a", { href: `#/jobs/${encodeURIComponent(other)}` }, "That job")] : [])));
    } finally {
      go.disabled = false;
    }
  }
  return h("details", { class: "starter" }, h("summary", {}, "Start a job"), h("form", { class: "controls", onsubmit: submit }, label("What", kind), inside, go), said);
}
