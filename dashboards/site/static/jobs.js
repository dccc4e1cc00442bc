// Jobs: the newest ones and their progress, one with its steps; operators ask for them, cancel and retry.
import { read, readNewest, send } from "./api.js";
import { table } from "./rows.js";
import { starter } from "./start.js";

const { h, short, whole } = window.penstock;
const OVER = ["SUCCEEDED", "PARTLY_FAILED", "FAILED", "CANCELLED"];
const KINDS = { SUCCEEDED: "good", PARTLY_FAILED: "stale", FAILED: "bad", CANCELLED: "stale" };
const FAILED_SHOWN = 20;

const stateOf = (job) => (job.is_cancelled && !OVER.includes(job.state) ? `${job.state}, being cancelled` : job.state.replace("_", " "));
const asked = ({ request }) => (request.prefix !== undefined ? `${request.prefix || "the inbox"} by ${request.source}` : request.report !== undefined ? `${request.report}, ${request.from} to ${request.to}` : "");

function badge(job) {
  return h("span", { class: `badge ${KINDS[job.state] || ""}` }, stateOf(job));
}

function progress(job) {
  if (job.chunks === null) return h("span", {}, OVER.includes(job.state) ? "nothing planned" : "not planned yet");
  const done = job.chunks_done + job.chunks_failed;
  const words = `${whole(done)} of ${whole(job.chunks)} chunks${job.chunks_failed ? `, ${whole(job.chunks_failed)} failed` : ""}`;
  return h("span", { class: "progress" }, h("progress", { max: Math.max(job.chunks, 1), value: job.chunks ? done : 1, "aria-label": `Progress of ${asked(job)}` }), words);
}

function list({ main, who, loaded, again }) {
  const rows = h("div", {});
  let shown = null;
  const draw = (jobs) => {
    const line = (job) => [h("a", { href: `#/jobs/${encodeURIComponent(job.job_id)}`, "data-key": job.job_id }, `${job.kind} of ${asked(job)}`), badge(job), progress(job), `${short(job.created_at)} UTC`, job.owner];
    const focus = rows.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    rows.replaceChildren(jobs.length ? table("Jobs", ["job", "state", "progress", "asked for", "by"], jobs.map(line)) : h("p", { class: "notice" }, "There are no jobs."));
    if (focus) rows.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  };
  return {
    isOpen: false,
    async fetch() {
      const { jobs } = await readNewest("/jobs?limit=50");
      const text = JSON.stringify(jobs);
      if (text !== shown) draw(jobs);
      shown = text;
      if (this.isOpen) return;
      this.isOpen = true;
      document.title = "Jobs – Penstock";
      main.replaceChildren(h("h1", {}, "Jobs"), ...(who.isOperator ? [await starter(again)] : []), rows);
      loaded();
    },
    close() {},
  };
}

function facts(job) {
  const parts = job.kind === "import" ? "files and hours" : "partitions";
  const named = Object.entries(job.counts).map(([name, count]) => [name, whole(count)]);
  const all = [
    ["state", badge(job)], ["progress", progress(job)], [parts, whole(job.partitions)], ["asked for", `${short(job.created_at)} UTC by ${job.owner}`],
    ...(job.started_at ? [["begun", `${short(job.started_at)} UTC`]] : []), ...(job.ended_at ? [["over", `${short(job.ended_at)} UTC`]] : []), ...named,
    ...(job.error ? [["error", job.error]] : []),
  ];
  return h("dl", { class: "facts" }, ...all.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function failures(job) {
  const names = Object.keys(job.failed).sort();
  if (!names.length) return [];
  const more = names.length > FAILED_SHOWN ? [h("p", {}, `${names.length - FAILED_SHOWN} more: penstock jobs show ${job.job_id} --json`)] : [];
  return [h("h2", {}, "What failed"), table("What failed", ["partition or file", "why"], names.slice(0, FAILED_SHOWN).map((name) => [name, job.failed[name]])), ...more];
}

function steps(found) {
  const row = (step) => [step.step, step.state, Object.entries(step.input).map(([name, value]) => `${name} ${value}`).join(", "), step.outcome ?? "", step.milliseconds === null ? "runs" : `${whole(step.milliseconds)} ms`];
  return found.length ? [h("h2", {}, "Steps"), table("Steps", ["step", "state", "of", "outcome", "took"], found.map(row))] : [];
}

// Cancel and retry ask once more in place, so that no slip of a finger stops a day's work.
function deeds(job, act) {
  if (!OVER.includes(job.state)) {
    const sure = h("button", { type: "button", class: "danger", hidden: true, onclick: () => act("cancel") }, "Yes, begin nothing more of it");
    const first = h("button", { type: "button", disabled: job.is_cancelled, onclick: () => {
      sure.hidden = false;
      sure.focus();
    } }, "Cancel this job");
    return [first, sure];
  }
  const canRetry = job.state === "FAILED" || job.state === "PARTLY_FAILED" || job.state === "CANCELLED";
  return canRetry ? [h("button", { type: "button", onclick: () => act("retry") }, "Retry what was not done")] : [];
}

function one({ main, names: [id], who, loaded, announce, again }) {
  const path = `/jobs/${encodeURIComponent(id)}`;
  const [state, bar, body, problem] = [h("div", {}), h("div", { class: "controls" }), h("div", {}), h("div", {})];
  let shown = [];
  const act = async (verb) => {
    try {
      await send(`${path}/${verb}`);
      problem.replaceChildren();
    } catch (error) {
      problem.replaceChildren(h("p", { class: "problem", role: "alert" }, error.message));
    }
    again();
  };
  const draw = (job, found) => {
    if (shown[0] && shown[0] !== job.state) announce(`The job is now ${stateOf(job)}`);
    state.replaceChildren(facts(job));
    body.replaceChildren(...failures(job), ...steps(found));
    // Buttons stay as they are while the state does, so that the question of one of them stays.
    if (shown[0] === job.state && shown[1] === job.is_cancelled) return;
    const made = who.isOperator ? deeds(job, act) : [];
    bar.replaceChildren(...made);
    bar.hidden = made.length === 0;
    shown = [job.state, job.is_cancelled];
  };
  return {
    isOpen: false,
    async fetch() {
      const [job, { steps: found }] = await Promise.all([readNewest(path), read(`${path}/steps`, { cache: "no-cache" })]);
      draw(job, found);
      if (this.isOpen) return;
      this.isOpen = true;
      document.title = `${job.kind} – Penstock`;
      main.replaceChildren(h("p", {}, h("a", { href: "#/jobs" }, "All jobs")), h("h1", {}, `${job.kind} of ${asked(job)}`), problem, bar, state, body);
      loaded();
    },
    close() {},
  };
}

export const page = (given) => (given.names[0] ? one(given) : list(given));
