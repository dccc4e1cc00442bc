// Penstock in a page: page views and events of your own to the collector. See docs/collector.md.
(() => {
  "use strict";
  // Storage that is full or forbidden leaves the memory alone.
  const attempt = (action) => { try { return action(); } catch { return undefined; } };
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const random = (count) => hex(crypto.getRandomValues(new Uint8Array(count)));
  // One place per page: pages that are open side by side would overwrite each other's.
  const place = "penstock:" + random(6);
  let settings, waiting = [], offset, timer, pause = 0, busy;

  const save = () => attempt(() =>
    waiting.length ? localStorage.setItem(place, JSON.stringify(waiting)) : localStorage.removeItem(place));
  const id = () => {
    const front = Date.now().toString(16).padStart(12, "0"), back = random(10);
    return `${front.slice(0, 8)}-${front.slice(8)}-7${back.slice(0, 3)}-a${back.slice(3, 6)}-${back.slice(6, 18)}`;
  };
  // An event keeps the clock of the moment in which it was made, and gets the offset before it is first sent.
  const stamped = () => {
    for (const event of waiting) {
      if (event.at) {
        event.event_time = new Date(event.at + (offset || 0)).toISOString();
        delete event.at;
      }
    }
    save();
  };
  const target = (path) => {
    const { url, key, stream } = settings;
    return `${url}${path}?k=${encodeURIComponent(key)}${stream ? "&stream=" + encodeURIComponent(stream) : ""}`;
  };
  const body = (events) => JSON.stringify({ events });
  const later = (ms) => { timer ||= setTimeout(() => { timer = 0; flush(); }, ms); };

  async function measure() {
    const before = Date.now();
    try {
      const { time } = await (await fetch(settings.url + "/v1/health")).json();
      offset = Math.round(time - (before + Date.now()) / 2) || 0;
    } catch { /* the next attempt measures */ }
  }

  async function flush() {
    if (!settings || busy || !waiting.length) return;
    busy = true;
    if (offset === undefined) await measure();
    let sent = 0;
    if (offset !== undefined) {
      stamped();
      const events = waiting.slice(0, 50);
      try {
        // A text needs no preflight.
        const { status } = await fetch(target("/v1/batch"), { method: "POST", body: body(events) });
        // Taken or kept, or never readable: not to be sent again.
        if (status < 300 || [400, 413, 415, 422].includes(status)) sent = events.length;
      } catch { /* no network */ }
    }
    busy = false;
    waiting = waiting.slice(sent);
    save();
    pause = sent ? 0 : Math.min(6e4, pause * 2 || 1e3);
    if (waiting.length) later(pause * (0.5 + Math.random()));
  }

  function send(type, payload) {
    if (!settings || waiting.length >= settings.buffer) {
      penstock.refused += 1;
      return false;
    }
    const user = settings.visitor && { user_id: settings.visitor };
    waiting.push({ type, payload: { ...user, ...payload }, event_id: id(), at: Date.now() });
    save();
    if (!pause) later(settings.interval);
    return true;
  }

  const view = () => send("page_viewed", { url: location.href, status: 200, referrer: document.referrer || undefined });

  function visitor() {
    const found = /(?:^|; )penstock=([^;]+)/.exec(document.cookie);
    const name = found ? found[1] : random(12);
    document.cookie = `penstock=${name}; max-age=31536000; path=/; samesite=lax`;
    return name;
  }

  function leave() {
    if (!settings || !waiting.length) return;
    stamped();
    // Nobody learns whether it arrived: the events stay, and count once however often they are sent.
    navigator.sendBeacon(target("/v1/batch"), new Blob([body(waiting.slice(0, 50))], { type: "text/plain" }));
  }

  function init(given) {
    if (settings || navigator.globalPrivacyControl) return;
    settings = { buffer: 500, interval: 1000, ...given };
    settings.visitor = given.visitor && visitor();
    attempt(() => {
      for (const name of Object.keys(localStorage).filter((each) => each.startsWith("penstock:"))) {
        attempt(() => waiting.push(...JSON.parse(localStorage.getItem(name))));
        localStorage.removeItem(name);
      }
    });
    save();
    addEventListener("pagehide", leave);
    addEventListener("online", () => { pause = 0; flush(); });
    if (given.views !== false) view();
    else if (waiting.length) later(0);
  }

  const penstock = { init, send, view, flush, refused: 0 };
  globalThis.penstock = penstock;
})();
