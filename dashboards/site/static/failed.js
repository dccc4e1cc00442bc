// Failed records by reason, with samples, for operators. Values are text, whatever they hold.
import { readNewest } from "./api.js";

const { h, short, whole } = window.penstock;

export function page({ main, loaded }) {
  return { isOpen: false, async fetch() { main.replaceChildren(h("h1", {}, "Failed records")); if (!this.isOpen) loaded(); this.isOpen = true; }, close() {} };
}
