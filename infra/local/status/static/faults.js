// Switches that make one thing go wrong on purpose.

import { byId, element } from "/_static/dom.js";

export function drawFaults(section, place, faults) {
  section.hidden = faults.length === 0;
  for (const fault of faults) {
    if (fault.name.startsWith("stops_")) continue; // would end the process that serves this page
    const known = place.querySelector(`[data-fault="${fault.name}"]`);
    const button = known ?? place.appendChild(makeButton(fault));
    button.setAttribute("aria-pressed", String(fault.is_on));
  }
}

function makeButton(fault) {
  const button = element("button", { type: "button", "data-fault": fault.name, title: fault.what }, fault.name.replaceAll("_", " "));
  button.addEventListener("click", async () => {
    const turnOn = button.getAttribute("aria-pressed") !== "true";
    const answer = await fetch("/_faults", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ [fault.name]: { probability: turnOn ? 1 : 0 } }),
    });
    button.setAttribute("aria-pressed", String(turnOn && answer.ok));
    byId("fault-note").textContent = answer.ok
      ? `${turnOn ? "From now on" : "No longer"}: ${fault.what}.`
      : (await answer.json()).message;
  });
  return button;
}
