"use strict";
/* How questions look: on the rater's page, and where a design is made. */

function make(tag, content, attributes = {}) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...[content].flat().filter((part) => part !== null && part !== undefined));
  return element;
}

/* One question: `at` is its number on the page, `given` the answer so far, `set` gets each answer. */
function fieldOf(field, at, given, set) {
  const parts = [make("legend", field.question)];
  if (field.kind === "slider") {
    const step = (field.high - field.low) / 200;
    const slider = make("input", "", {
      type: "range", min: field.low, max: field.high, step: "any", name: `field${at}`,
      class: given === undefined ? "untouched" : "", "aria-label": field.question,
      "aria-valuetext": given === undefined ? field.unanswered : null,
    });
    slider.value = given === undefined ? (field.low + field.high) / 2 : given;
    const touched = () => {
      slider.classList.remove("untouched");
      slider.removeAttribute("aria-valuetext");
      set(Math.min(field.high, Math.max(field.low, Number(slider.value))));
    };
    slider.addEventListener("input", touched);
    slider.addEventListener("click", touched);
    slider.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: 4, ArrowUp: 4, ArrowLeft: -4, ArrowDown: -4, PageUp: 20, PageDown: -20 };
      if (!(event.key in moves)) return;
      event.preventDefault();
      slider.value = Number(slider.value) + moves[event.key] * step;
      touched();
    });
    parts.push(slider, ends(field.labels[0], field.labels[1]));
  } else {
    const named = field.labels.length === field.values.length;
    const choices = field.values.map((value, k) => {
      const input = make("input", "", {
        type: "radio", name: `field${at}`, value: String(k), checked: given === value,
        "aria-label": named ? field.labels[k] : `${k + 1}`,
        onchange: () => set(value),
      });
      const face = field.kind === "sam" ? manikin(field.dimension, k / (field.values.length - 1))
        : named ? field.labels[k] : String(k + 1);
      return make("label", [input, face]);
    });
    const look = field.kind === "sam" ? "steps pictures" : named ? "steps" : "steps numbers";
    parts.push(make("div", choices, { class: look }));
    if (!named) parts.push(ends(field.labels[0], field.labels[field.labels.length - 1]));
  }
  return make("fieldset", parts);
}
function ends(low, high) {
  return make("div", [make("span", low), make("span", high)], { class: "row ends" });
}

/* A figure of the self-assessment manikin, drawn by this project; share from 0 to 1. */
function manikin(dimension, share) {
  const svg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round" };
  const size = dimension === "dominance" ? 0.4 + 0.6 * share : 1;
  const root = svg("svg", { viewBox: "0 0 60 60", "aria-hidden": "true" });
  const body = svg("g", { transform: `translate(30 30) scale(${size}) translate(-30 -30)` });
  body.append(
    svg("rect", { ...line, x: 12, y: 4, width: 36, height: 30, rx: 6 }),
    svg("circle", { cx: 23, cy: 15, r: 2.2, fill: "currentColor" }),
    svg("circle", { cx: 37, cy: 15, r: 2.2, fill: "currentColor" }),
    svg("path", { ...line, d: "M18 58 V40 H42 V58" }),
  );
  const bend = dimension === "valence" ? 10 * (share - 0.5) * 2 : 0;
  body.append(svg("path", { ...line, d: `M21 ${26 - bend / 3} Q30 ${26 + bend} 39 ${26 - bend / 3}` }));
  if (dimension === "arousal") {
    const rays = 9;
    for (let ray = 0; ray < rays; ray += 1) {
      const angle = (2 * Math.PI * ray) / rays;
      const far = 2 + 7 * share;
      body.append(svg("line", {
        ...line, "stroke-width": 0.6 + 1.6 * share, x1: 30 + 2 * Math.cos(angle), y1: 49 + 2 * Math.sin(angle),
        x2: 30 + far * Math.cos(angle), y2: 49 + far * Math.sin(angle),
      }));
    }
  }
  root.append(body);
  return root;
}
