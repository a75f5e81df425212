// The user's own network: a recipe, its layers as lines of text, and buttons that add a layer.

import { button, html } from "./dom.js";

const LAYERS = [
  "Flatten",
  "Dense units=64",
  "ReLU",
  "Dropout rate=0.3",
  "BatchNorm",
  "Conv2D filters=16 size=3",
  "MaxPool size=2",
];

// Layers as text, one per line: "Dense units=64".
const written = (layers) =>
  layers
    .map(({ type, ...rest }) => [type, ...Object.entries(rest).map(([k, v]) => `${k}=${JSON.stringify(v)}`)].join(" "))
    .join("\n");

function value(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parsed(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [type, ...rest] = line.split(/\s+/);
      return {
        type,
        ...Object.fromEntries(rest.map((part) => [part.split("=")[0], value(part.split("=").slice(1).join("="))])),
      };
    });
}

export function networkCard(about, address, wish) {
  const recipe = html(
    "select",
    { id: "recipe" },
    ...Object.keys(about.recipes).map((name) => html("option", { value: name }, name)),
  );
  recipe.value = about.recipes[address.get("recipe")] ? address.get("recipe") : "classic";
  const limit = html("input", { id: "limit", type: "number", min: 1, max: about.images, step: 1, value: about.images });
  const layers = html("textarea", {
    id: "layers",
    rows: 8,
    spellcheck: "false",
    "aria-label": "Layers of the network, one per line",
  });
  const title = html("p", { class: "soft" }),
    own = () => about.recipes[recipe.value];
  const choose = () => {
    layers.value = written(own().layers);
    title.textContent = own().title;
  };
  recipe.addEventListener("change", () => {
    choose();
    address.set({ recipe: recipe.value });
  });
  choose();

  // Add a layer before the last Dense layer, which gives the answers, or at the end if there is none.
  function add(line) {
    const all = layers.value.split("\n").filter((one) => one.trim());
    const last = all.length && all.at(-1).trim().startsWith("Dense") ? all.length - 1 : all.length;
    all.splice(last, 0, line);
    layers.value = all.join("\n");
  }
  const adding = LAYERS.map((line) =>
    button(`+ ${line.split(" ")[0]}`, () => add(line), {
      title: "Add this layer before the last Dense layer, which gives the answers",
    }),
  );
  const begin = button(
    "Train this network",
    () =>
      wish({
        do: "begin",
        recipe: recipe.value,
        limit: limit.value === "" ? 0 : Number(limit.value),
        set: layers.value === written(own().layers) ? {} : { layers: parsed(layers.value) },
      }),
    { title: "Start a new training with these layers" },
  );
  return html(
    "section",
    { class: "card whole side-matter", "aria-label": "Your own network" },
    html("h2", {}, "Train another network"),
    html(
      "div",
      { class: "row" },
      html("label", { for: "recipe" }, "Recipe"),
      recipe,
      html("label", { for: "limit" }, "Training images"),
      limit,
      begin,
    ),
    title,
    html("div", { class: "row" }, ...adding),
    layers,
  );
}
