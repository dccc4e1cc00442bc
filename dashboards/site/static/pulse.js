// Has what is open fetched again: every few seconds while somebody sees it, at once after a hint or a break.
const MOST_SECONDS = 30;

export class Pulse {
  // fetch() -> when done; say(kind, words); failed(error) -> whether to go on.
  constructor(seconds, { fetch, say, failed }) {
    Object.assign(this, { seconds, fetch, say, failed, timer: null, failures: 0, number: 0, isOver: false });
    const soon = () => this.now();
    addEventListener("online", soon);
    addEventListener("offline", () => this.say("lost", "Offline"));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && soon());
  }

  // Fetch now, whatever was planned.
  async now() {
    if (this.isOver) return;
    const mine = ++this.number;
    clearTimeout(this.timer);
    try {
      await this.fetch();
      this.failures = 0;
      if (mine === this.number) this.say("live", "Up to date");
    } catch (error) {
      this.failures += 1;
      if (!this.failed(error)) return;
      this.say("lost", navigator.onLine ? "Connection lost, trying again" : "Offline");
    }
    if (mine === this.number) this.later();
  }

  later() {
    const most = Math.min(MOST_SECONDS, this.seconds * 2 ** this.failures);
    // After a failure with full jitter, so that pages that lost it together do not come back together.
    const seconds = this.failures ? Math.max(1, Math.random() * most) : this.seconds;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (document.visibilityState === "visible" ? this.now() : this.later()), seconds * 1000);
  }

  stop() {
    this.isOver = true;
    this.number += 1;
    clearTimeout(this.timer);
  }
}
