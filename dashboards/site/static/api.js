// The API as pages ask it: with the token, and with errors that people can read.
import { current } from "./session.js";

export class SignedOutError extends Error {}
export class OfflineError extends Error {}

// What the API refuses, as it says itself.
export class ProblemError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The answer was ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

let skew = 0;
// The service's time in milliseconds: a clock of this machine that is wrong would make numbers look old, or new.
export const now = () => Date.now() + skew;

async function ask(path, options = {}) {
  const held = current();
  if (!held) throw new SignedOutError();
  const { headers, ...rest } = options;
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { ...rest, headers: { Authorization: `Bearer ${held.token}`, ...headers } });
  } catch {
    throw new OfflineError("There is no connection.");
  }
  if (answer.status === 401) throw new SignedOutError();
  if (!answer.ok) throw new ProblemError(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

export async function read(path, options) {
  return (await ask(path, options)).json();
}

// What may be newer each time; the browser asks whether it is, and takes 304 for no.
export async function readNewest(path) {
  const answer = await ask(path, { cache: "no-cache" });
  const said = Date.parse(answer.headers.get("date"));
  if (Math.abs(said - Date.now()) > 5000) skew = said - Date.now();
  return answer.json();
}

export function send(path, body, headers = {}) {
  const options = { method: "POST", headers: { "Content-Type": "application/json", ...headers } };
  return read(path, body === undefined ? { ...options, headers } : { ...options, body: JSON.stringify(body) });
}

// Save an answer as a file. A link cannot carry the token.
export async function save(path, name) {
  const address = URL.createObjectURL(await (await ask(path)).blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
