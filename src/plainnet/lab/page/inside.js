// Inside: the weights of the first layer of a training run, and the outputs and gradients of each layer.

import { brief, bytes, percent } from "./chart.js";
import { html, svg } from "./dom.js";
import { explained } from "./explain.js";
import { signed } from "./layers.js";

function histogram({ low, high, counts }) {
  const most = Math.max(1, ...counts),
    width = 120 / Math.max(1, counts.length),
    said = `${brief(low ?? NaN)} to ${brief(high ?? NaN)}`;
  const columns = counts.map((n, i) =>
    svg("rect", { x: i * width, y: 34 - (34 * n) / most, width: Math.max(width - 0.5, 0.5), height: (34 * n) / most }),
  );
  return html(
    "span",
    {},
    svg("svg", { class: "hist", viewBox: "0 0 120 34", role: "img", "aria-label": `from ${said}` }, ...columns),
    html("br"),
    html("small", { class: "soft" }, said),
  );
}

function table(label, head, rows) {
  const named = html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)));
  return html(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
    html(
      "table",
      {},
      named,
      ...rows.map(([name, ...cells]) =>
        html("tr", {}, html("th", { scope: "row" }, name), ...cells.map((cell) => html("td", {}, cell))),
      ),
    ),
  );
}

const dead = (one) =>
  one.dead === undefined
    ? "-"
    : explained(
        percent(one.dead),
        "dead",
        () => `${Math.round(one.dead * one.units)} of ${one.units} units are 0 for every image`,
      );
const update = (one) =>
  typeof one.update !== "number"
    ? "-"
    : explained(
        brief(one.update),
        "update",
        () => `${brief(one.change)} / ${brief(one.length)} = ${brief(one.update)}`,
      );
const clipped = (one) => (one.clipped === undefined ? "-" : explained(percent(one.clipped), "clipped"));

export function inside(trial) {
  const title = trial.name === trial.recipe ? trial.name : `${trial.name}: recipe ${trial.recipe}`;
  const box = html("div", {}, html("h3", {}, `${title}, at batch ${trial.measured_at.toLocaleString("en")}`));
  if (trial.weights) {
    const { tiles, size, of } = trial.weights;
    box.append(
      html("b", {}, `Weights of the first layer, ${tiles.length} of ${of} units`),
      html(
        "div",
        { class: "tilestrip" },
        ...tiles.map((one, k) => signed(bytes(one), ...size, `weights of unit ${k}`)),
      ),
    );
  }
  box.append(
    html(
      "div",
      { class: "side" },
      table(
        "outputs by layer",
        ["layer", "outputs for 100 images", "dead units"],
        trial.inside.map((one) => [one.layer, histogram(one.activations), dead(one)]),
      ),
      table(
        "gradients by layer",
        ["weights", "gradient", "update / weights", "clipped"],
        trial.gradients.map((one) => [one.name, histogram(one.gradients), update(one), clipped(one)]),
      ),
    ),
  );
  return box;
}
