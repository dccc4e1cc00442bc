// Builds a sheet's controls once; later answers change their values, never the elements, so focus stays.
window.penstock.controls = (() => {
  "use strict";
  const { h } = window.penstock;

  const forInput = (iso) => (iso ? iso.slice(0, 16) : "");
  const hoursBefore = (iso, hours) => new Date(Date.parse(`${iso}Z`) - hours * 3600e3).toISOString().slice(0, 19);

  // state: { get(key) -> [values], set(key, values) }, where keys are those of the page's address.
  function build(frame, sheet, state) {
    const times = sheet.controls.filter((control) => control.type === "time");
    const parts = [];
    const updates = [];
    if (times.length === 2) {
      const row = presets(times, state);
      parts.push(row.element);
      updates.push(row.update);
    }
    for (const control of sheet.controls) {
      const made = MAKERS[control.type](control, state);
      parts.push(made.element);
      if (made.update) updates.push(made.update);
    }
    if (frame.viewers.length > 1) parts.push(viewAs(frame, state));
    return { parts, update: (answer) => updates.forEach((update) => update(answer)) };
  }

  function presets(times, state) {
    const [from, to] = times.map((control) => `p.${control.parameter}`);
    const choose = (low, high) => state.set({ [from]: low ? [low] : [], [to]: high ? [high] : [] });
    let range = {};
    const spans = [["24 h", 24], ["7 days", 168], ["30 days", 720]];
    const later = (hours) => hoursBefore(range.to, -hours);
    const buttons = [
      h("button", { type: "button", "aria-pressed": "true", onclick: () => choose() }, "Default"),
      ...spans.map(([name, hours]) => h("button", { type: "button", "aria-pressed": "false", title: `The last ${name} that have data`, onclick: () => range.to && choose(later(1 - hours), later(1)) }, name)),
      h("button", { type: "button", "aria-pressed": "false", onclick: () => range.to && choose(range.from, later(24)) }, "All data"),
    ];
    const update = (answer) => {
      range = answer.data_range;
      const [low, high] = [state.get(from)[0], state.get(to)[0]];
      const wanted = !low && !high ? "Default"
        : range.to && low === range.from && high === later(24) ? "All data"
        : spans.find(([, hours]) => range.to && low === later(1 - hours) && high === later(1))?.[0];
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === wanted)));
    };
    return { element: h("div", { class: "presets", role: "group", "aria-label": "Time range" }, ...buttons), update };
  }

  const MAKERS = {
    time(control, state) {
      const key = `p.${control.parameter}`;
      const input = h("input", { type: "datetime-local", id: control.id, step: "3600", onchange: () => state.set({ [key]: input.value ? [`${input.value}:00`.slice(0, 19)] : [] }) });
      const update = (answer) => {
        const value = forInput(answer.parameters[control.parameter]?.value);
        if (document.activeElement !== input || input.value === "") input.value = value;
      };
      return { element: h("span", { class: "group" }, h("label", { for: control.id }, control.title), input), update };
    },

    text(control, state) {
      const key = `p.${control.parameter}`;
      const input = h("input", { type: "text", id: control.id, onchange: () => state.set({ [key]: input.value ? [input.value] : [] }) });
      const update = (answer) => {
        if (document.activeElement !== input) input.value = answer.parameters[control.parameter]?.value ?? "";
      };
      return { element: h("span", { class: "group" }, h("label", { for: control.id }, control.title), input), update };
    },

    pick(control, state) {
      const key = `f.${control.filter}`;
      const boxes = new Map();
      const list = h("div", { class: "list", role: "group", "aria-label": control.title });
      const said = h("b", {});
      const root = h("details", { class: "pick", "data-filter": control.filter }, h("summary", {}, control.title, said), list);
      root.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && root.open) {
          root.open = false;
          root.querySelector("summary").focus();
        }
      });
      document.addEventListener("pointerdown", (event) => { if (!root.contains(event.target)) root.open = false; });
      const read = () => state.set({ [key]: [...boxes].filter(([, box]) => box.checked).map(([value]) => value) });
      const update = (answer) => {
        const values = answer.choices[control.filter] || [];
        for (const [value, box] of boxes) {
          if (!values.includes(value) && box !== document.activeElement) {
            box.parentElement.remove();
            boxes.delete(value);
          }
        }
        // A new value goes to its place; none that stands is moved, so focus stays.
        let after = null;
        for (const value of values) {
          if (!boxes.has(value)) {
            const box = h("input", { type: "checkbox", value, onchange: read });
            boxes.set(value, box);
            list.insertBefore(h("label", {}, box, value), after ? after.nextSibling : list.firstChild);
          }
          after = boxes.get(value).parentElement;
        }
        const chosen = state.get(key);
        for (const [value, box] of boxes) box.checked = chosen.includes(value);
        said.textContent = chosen.length === 0 ? "all" : chosen.length === 1 ? chosen[0] : `${chosen.length} chosen`;
      };
      return { element: root, update };
    },

    unsupported(control) {
      return { element: h("span", { class: "group" }, h("span", { class: "name" }, `${control.title}: this control is not shown here`)) };
    },
  };

  function viewAs(frame, state) {
    const chosen = state.get("as")[0] || "owner";
    const options = frame.viewers.map((viewer) => h("option", { value: viewer, selected: viewer === chosen }, viewer));
    const select = h("select", { id: "view-as", onchange: () => state.set({ as: select.value === "owner" ? [] : [select.value] }) }, ...options);
    return h("span", { class: "group push" }, h("label", { for: "view-as" }, "View as"), select);
  }

  return { build };
})();
