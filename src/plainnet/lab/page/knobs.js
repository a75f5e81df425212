// Knobs: sliders for settings that can change during training; a double click or Delete resets a slider.

import { brief } from "./chart.js";
import { html } from "./dom.js";
import { explained } from "./explain.js";

const KNOBS = {
  learning_rate: {
    name: "learning rate",
    low: -7,
    high: 1,
    step: 0.05,
    of: (v) => 10 ** v,
    to: (v) => Math.log10(Math.max(v, 1e-7)),
    says: "How far each step goes, from 0.0000001 to 10. Once moved, it replaces the recipe's schedule.",
  },
  momentum: {
    name: "momentum",
    low: 0,
    high: 0.99,
    step: 0.01,
    says: "The share of the last step that is added to the next one, from 0 to 0.99.",
    without: "Only SGD has momentum that can be changed.",
  },
  dropout: {
    name: "dropout",
    low: 0,
    high: 0.9,
    step: 0.05,
    says: "The share of units that are set to 0 during training, from 0 to 0.9.",
    without: "This network has no Dropout layer; add one below.",
  },
  augmentation: {
    name: "augmentation",
    low: 0,
    high: 1,
    step: 0.1,
    says: "How strongly images are turned, moved and bent during training: 0 is not at all, 1 is as in recipe cnn.",
    without: "Only images can be augmented.",
  },
};

// One knob; `move` is called with each new value.
function knob(what, { name, low, high, step, says, without = "", of = (v) => v, to = (v) => v }, move) {
  const input = html("input", { type: "range", id: what, min: low, max: high, step, value: low, title: says });
  const output = html("output", { for: what }),
    told = html("small", {}, says);
  let began = null,
    moving = 0; // a pending move, which a double click cancels
  const send = (value, after) => {
    clearTimeout(moving);
    moving = setTimeout(() => {
      moving = 0;
      move(what, value);
    }, after);
  };
  const reset = () => {
    if (began === null || input.disabled) return;
    input.value = to(began);
    output.textContent = brief(began);
    send(began, 0);
  };
  input.addEventListener("input", () => {
    output.textContent = brief(of(Number(input.value)));
    send(of(Number(input.value)), 350);
  });
  input.addEventListener("dblclick", reset);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Delete") reset();
  });
  const formula = explained(
    "formula",
    what,
    () => `now ${output.textContent}${began === null ? "" : `, at the start ${brief(began)}`}`,
  );
  return {
    box: html(
      "div",
      { class: "knob" },
      html("span", {}, html("label", { for: what }, name), " ", formula),
      input,
      output,
      told,
    ),
    show(knobs) {
      const now = knobs.now[what];
      began = knobs.began[what] ?? null;
      input.disabled = now === undefined;
      told.textContent = now === undefined ? without : says;
      if (now === undefined) output.textContent = "";
      else if (!moving && !input.matches(":active")) {
        input.value = to(now);
        output.textContent = brief(now);
      }
    },
  };
}

export const knobs = (move) => Object.entries(KNOBS).map(([what, settings]) => knob(what, settings, move));
