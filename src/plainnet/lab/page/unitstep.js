// A unit of the lab's network, step by step: its inputs, the sum, the loss, the gradient and the update.

import { brief, bytes, likely } from "./chart.js";
import { html } from "./dom.js";
import { imageOf, packed } from "./images.js";
import { explained } from "./explain.js";
import { figureOf, signed } from "./layers.js";
import { attempt, post } from "./wire.js";

const picture = (one, text) =>
  figureOf(signed(bytes(one.pixels), ...one.size, text), `${text}; the largest is ${brief(one.largest)}`);
const list = (head, rows) =>
  html(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": head.join(", ") },
    html(
      "table",
      { class: "cells" },
      html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name))),
      ...rows.map((row) => html("tr", {}, ...row.map((v) => html("td", {}, typeof v === "number" ? brief(v) : v)))),
    ),
  );

// The place of a weight: row, column and channel of a filter, row and column of an image, or its number.
function placeIn(found, number) {
  const [height, width] = found.inputs.size,
    channels = found.kind === "Conv2D" ? (found.in_shape[2] ?? 1) : 1;
  const cell = Math.floor(number / channels),
    where = height > 1 ? `row ${Math.floor(cell / width) + 1}, column ${(cell % width) + 1}` : `input ${number + 1}`;
  return channels > 1 ? `${where}, channel ${(number % channels) + 1}` : where;
}

// The moments of a step: a heading, the name of the formula, and what to show.
function moments(found) {
  const { kind, unit, place, output, loss, label, classes, probabilities, gradient, rate, terms } = found;
  const at = place.length ? ` at row ${place[0] + 1}, column ${place[1] + 1}, where it is largest` : "",
    k = classes.indexOf(label);
  const after = [
    {
      way: "Forward",
      title: "The loss",
      key: "loss",
      show: [
        list(
          ["class", "p"],
          classes.map((name, i) => [name === label ? `${name}, the label` : name, likely(probabilities[i])]),
        ),
        html("p", {}, `L = -log p(${label}) = -log ${likely(probabilities[k])} = ${brief(loss)}`),
        loss < 1e-3
          ? html(
              "p",
              {},
              'The answer is already right, so hardly anything changes. Choose another class under "The image shows a" to see the effect of a mistake.',
            )
          : "",
      ],
    },
    {
      way: "Backward",
      title: `The gradient that reaches unit ${unit}`,
      key: `${kind} backward`,
      show: [
        html(
          "p",
          {},
          `dL/dy = ${brief(gradient)}${at}: if this output were 0.01 larger, the loss would be about ${brief(Math.abs(gradient) * 0.01)} ${gradient < 0 ? "smaller" : "larger"}.`,
        ),
      ],
    },
  ];
  if (!terms) {
    const from = found.input === undefined ? "" : `x = ${brief(found.input)}, `;
    return [
      {
        way: "Forward",
        title: `Unit ${unit}: ${kind}`,
        key: kind,
        show: [html("p", {}, html("code", {}, found.formula)), html("p", {}, `${from}y = ${brief(output)}${at}`)],
      },
      ...after,
    ];
  }
  const named = (rows) => rows.map(([number, ...rest]) => [placeIn(found, number), ...rest]);
  const summed = found.kind === "Conv2D" && found.in_shape[2] > 1 ? ", summed over the channels" : "";
  const sum = `${terms.map(([, , , v]) => brief(v)).join(" + ")} + ${found.rest_count} others ${brief(found.rest)} + b ${brief(found.bias)} = ${brief(output)}`;
  return [
    {
      way: "Forward",
      title: `The inputs${place.length ? ` for the output at row ${place[0] + 1}, column ${place[1] + 1}, the largest of this map` : ""}`,
      key: kind,
      show: [picture(found.inputs, `inputs x${summed}`), html("p", {}, `Shape ${found.in_shape.join(" x ")}.`)],
    },
    {
      way: "Forward",
      title: `The weights of unit ${unit}`,
      key: kind,
      show: [picture(found.weights, `weights w${summed}`), html("p", {}, `Bias b = ${brief(found.bias)}.`)],
    },
    {
      way: "Forward",
      title: "Input times weight",
      key: kind,
      show: [picture(found.products, `products x w${summed}`), list(["the largest", "x", "w", "x w"], named(terms))],
    },
    { way: "Forward", title: "Their sum is the output", key: kind, show: [html("p", {}, `z = ${sum}`)] },
    ...after,
    {
      way: "Backward",
      title: "The gradient of each weight",
      key: `${kind} backward`,
      show: [
        picture(found.dW, `gradient dw${summed}`),
        html(
          "p",
          {},
          found.places > 1
            ? `dw is the sum of x dz over all ${found.places} places of the map; db = ${brief(found.db)}`
            : `dw = x dz = x times ${brief(gradient)}; db = dz = ${brief(found.db)}`,
        ),
      ],
    },
    {
      way: "Backward",
      title: "The update",
      key: "sgd",
      show: [
        list(["the largest dw", "w", "dw", `w - ${rate} dw`], named(found.changes)),
        html(
          "p",
          {},
          "The eight weights with the largest gradients. The network does not change: this is what one step of SGD would do.",
        ),
      ],
    },
  ];
}

export function unitStep(main, about, address, controlsRow) {
  const pixels = imageOf(about, address) ?? bytes(about.samples[7 % about.samples.length].pixels);
  const layer = html("select", { id: "layer" }),
    unit = html("input", { id: "unit", type: "number", min: 0, value: address.get("unit") ?? 0 });
  const label = html("select", { id: "label" }),
    rate = html("input", { id: "rate", type: "number", min: 0, max: 1, step: 0.01, value: 0.01 });
  const stage = html("section", { class: "card whole unit-step", "aria-label": "Moment" });
  let at = Number(address.get("at")) || 0,
    found = null;

  async function ask() {
    const what = { image: Array.from(pixels), unit: Number(unit.value) || 0, rate: rate.valueAsNumber || 0 };
    if (address.get("layer")) what.layer = address.get("layer");
    if (address.get("as")) what.label = Number(address.get("as"));
    const answer = await attempt(post("/api/step", what));
    if (!answer) return;
    found = answer;
    layer.replaceChildren(...found.layers.map((one) => html("option", { value: one.layer }, one.layer)));
    layer.value = found.layer;
    unit.max = found.layers.find((one) => one.layer === found.layer).units - 1;
    label.replaceChildren(...found.classes.map((name, k) => html("option", { value: k }, name)));
    label.value = found.classes.indexOf(found.label);
    show();
  }

  function show() {
    const all = moments(found),
      now = all[(at = Math.min(Math.max(at, 0), all.length - 1))];
    address.set({ at: at || null, unit: unit.value, layer: found.layer, pixels: packed(pixels), sample: null });
    stage.replaceChildren(
      html("h2", {}, `${now.way}: step ${at + 1} of ${all.length}`),
      html("h3", {}, now.title),
      html("div", { class: "side" }, ...now.show),
      html("p", {}, explained("Formula and source", now.key)),
      html(
        "div",
        { class: "sees" },
        figureOf(
          signed(
            pixels.map((v) => 128 + v * 0.498),
            28,
            28,
            "the image",
          ),
          "the image",
        ),
      ),
    );
  }

  const button = (text, does) => {
    const made = html("button", { type: "button" }, text);
    made.addEventListener("click", does);
    return made;
  };
  layer.addEventListener("change", () => {
    address.set({ layer: layer.value });
    unit.value = 0;
    at = 0;
    ask();
  });
  for (const one of [unit, rate]) one.addEventListener("change", () => ask());
  label.addEventListener("change", () => {
    address.set({ as: label.value });
    ask();
  });
  main.append(
    html(
      "section",
      { class: "card whole", "aria-label": "Controls" },
      html("h2", {}, "Step through a unit of the lab's network"),
      html(
        "div",
        { class: "row" },
        button("First", () => {
          at = 0;
          show();
        }),
        button("Back", () => {
          at--;
          show();
        }),
        button("Next", () => {
          at++;
          show();
        }),
        ...controlsRow,
      ),
      html(
        "div",
        { class: "row" },
        html("label", { for: "layer" }, "Layer"),
        layer,
        html("label", { for: "unit" }, "Unit"),
        unit,
        html("label", { for: "label" }, "The image shows a"),
        label,
        html("label", { for: "rate" }, "Learning rate"),
        rate,
      ),
    ),
    stage,
  );
  ask();
}
