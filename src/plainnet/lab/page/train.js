// Train: start, pause, one batch, back; curves, weights, gradients and what diagnose sees, while it learns.

import { bars, brief, bytes, html, likely, lines, svg } from "./chart.js";
import { signed } from "./draw.js";
import { attempt, post, watch } from "./wire.js";

const KNOBS = {
  learning_rate: { name: "learning rate", low: -5, high: 0, step: 0.05, of: (v) => 10 ** v, to: (v) => Math.log10(Math.max(v, 1e-5)), says: "How far each step goes: 0.00001 to 1. Takes the place of the schedule." },
  momentum: { name: "momentum", low: 0, high: 0.99, step: 0.01, says: "Share of the last step that is kept, 0 to 0.99; of SGD." },
  dropout: { name: "dropout", low: 0, high: 0.9, step: 0.05, says: "Share of units left out while learning, 0 to 0.9; of Dropout layers." },
  augmentation: { name: "augmentation", low: 0, high: 1, step: 0.1, says: "How much images are turned, moved and bent: 0 not at all, 1 as in recipe cnn." },
};
const KINDS = ["training", "validation"];

export function train(main, about, address) {
  const wish = (what) => attempt(post("/api/train", what));
  const button = (text, says, what) => {
    const made = html("button", { type: "button", title: says }, text);
    made.addEventListener("click", () => wish(typeof what === "function" ? what() : what));
    return made;
  };

  const recipe = html("select", { id: "recipe" }, ...Object.keys(about.recipes).map((name) => html("option", { value: name }, name)));
  recipe.value = about.recipes[address.get("recipe")] ? address.get("recipe") : "classic";
  const limit = html("input", { id: "limit", type: "number", min: 100, max: 50000, step: 100, value: 50000 });
  const layers = html("textarea", { id: "layers", rows: 8, spellcheck: "false", "aria-label": "Layers of the network, one a line" });
  const title = html("p", { class: "soft" });
  const written = (list) => list.map(({ type, ...rest }) => [type, ...Object.entries(rest).map(([k, v]) => `${k}=${JSON.stringify(v)}`)].join(" ")).join("\n");
  const choose = () => { layers.value = written(about.recipes[recipe.value].layers); title.textContent = about.recipes[recipe.value].title; address.set({ recipe: recipe.value }); };
  recipe.addEventListener("change", choose);
  choose();
  const add = html("div", { class: "row" }, ...["Flatten", "Dense units=64", "ReLU", "Dropout rate=0.3", "BatchNorm", "Conv2D filters=16 size=3", "MaxPool size=2"].map((line) => {
    const made = html("button", { type: "button", title: "Put this layer before the last one" }, `+ ${line.split(" ")[0]}`);
    made.addEventListener("click", () => { const all = layers.value.trim().split("\n"); all.splice(all.length - 1, 0, line); layers.value = all.join("\n"); });
    return made;
  }));
  const parsed = () => layers.value.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const [type, ...rest] = line.split(/\s+/);
    return { type, ...Object.fromEntries(rest.map((part) => { const [k, v] = part.split("="); try { return [k, JSON.parse(v)]; } catch { return [k, v ?? ""]; } })) };
  });
  const begin = button("Train it", "Begin anew with these layers", () => ({ do: "begin", recipe: recipe.value, limit: Number(limit.value) || null,
    set: layers.value === written(about.recipes[recipe.value].layers) ? {} : { layers: parsed() } }));

  const stories = html("div", { class: "row" }, ...Object.entries(about.stories).map(([key, story]) => {
    const made = html("button", { type: "button", title: story.tells }, story.title);
    made.addEventListener("click", () => { address.set({ story: key }); telling.textContent = story.tells; wish({ do: "story", story: key }); });
    return made;
  }));
  const telling = html("p", { class: "soft" });
  telling.textContent = about.stories[address.get("story")]?.tells ?? "";

  const knobs = Object.entries(KNOBS).map(([what, knob]) => {
    const input = html("input", { type: "range", id: what, min: knob.low, max: knob.high, step: knob.step, value: knob.low, title: knob.says });
    const value = html("output", { for: what });
    const real = () => (knob.of ? knob.of(Number(input.value)) : Number(input.value));
    input.addEventListener("input", () => { value.textContent = brief(real()); });
    input.addEventListener("change", () => wish({ do: "move", what, value: real() }));
    return { what, knob, input, value, box: html("div", { class: "knob" }, html("label", { for: what }, knob.name), input, value, html("small", {}, knob.says)) };
  });
  const back = html("select", { id: "back", title: "Go back to an earlier state" });
  const goBack = button("Go back", "Take up the training there", () => ({ do: "back", steps: Number(back.value) }));

  const status = html("p", { "aria-live": "polite" }), curves = html("div"), looks = html("div", { class: "trials" }), seen = html("div"), answers = html("div");
  main.append(
    html("section", { class: "card", "aria-label": "Controls" }, html("h2", {}, "Training"), status,
      html("div", { class: "row" }, button("Start", "Go on training", { do: "go" }), button("Pause", "Stop between two batches", { do: "pause" }), button("One batch", "Learn from one batch", { do: "go", batches: 1 })),
      html("div", { class: "row" }, html("label", { for: "back" }, "Back to"), back, goBack),
      html("h2", {}, "Move while it trains"), ...knobs.map((one) => one.box)),
    html("section", { class: "card", "aria-label": "Curves" }, curves),
    html("section", { class: "card", "aria-label": "Your drawing and diagnosis" }, html("h2", {}, "Your drawing"), answers, html("h2", {}, "What diagnose sees"), seen,
      button("Look closer", "Look at network, data and first steps as well", { do: "examine" })),
    html("section", { class: "card whole", "aria-label": "Inside" }, html("h2", {}, "Inside"), looks),
    html("section", { class: "card whole", "aria-label": "Stories" }, html("h2", {}, "Stories"), stories, telling),
    html("section", { class: "card whole", "aria-label": "A network of your own" }, html("h2", {}, "Another network"), html("div", { class: "row" }, html("label", { for: "recipe" }, "Recipe"), recipe, html("label", { for: "limit" }, "Images to learn from"), limit, begin), title, add, layers));

  function histogram(found) {
    const most = Math.max(1, ...found.counts), width = 120 / Math.max(1, found.counts.length);
    return html("span", {}, svg("svg", { class: "hist", viewBox: "0 0 120 34", role: "img", "aria-label": `from ${brief(found.low ?? NaN)} to ${brief(found.high ?? NaN)}` },
      ...found.counts.map((n, i) => svg("rect", { x: i * width, y: 34 - (34 * n) / most, width: Math.max(width - 0.5, 0.5), height: (34 * n) / most }))),
      html("br"), html("small", { class: "soft" }, `${brief(found.low ?? NaN)} to ${brief(found.high ?? NaN)}`));
  }

  function inside(trial) {
    const box = html("div", {}, html("h3", {}, `${trial.name}: ${trial.recipe}`));
    if (trial.weights) {
      const tiles = html("div", { class: "tilestrip" }, ...trial.weights.tiles.map((tile, k) => { const one = signed(bytes(tile), ...trial.weights.size, `weights of unit ${k}`); return one; }));
      box.append(html("b", {}, `First layer's weights, ${trial.weights.tiles.length} of ${trial.weights.of}`), tiles);
    }
    const rows = html("table", {}, html("tr", {}, ...["layer", "outputs", "dead units"].map((name) => html("th", { scope: "col" }, name))),
      ...trial.inside.map((one) => html("tr", {}, html("th", { scope: "row" }, one.layer), html("td", {}, histogram(one.activations)), html("td", {}, one.dead === undefined ? "-" : likelyShare(one.dead)))));
    const grads = html("table", {}, html("tr", {}, ...["weights", "gradient", "update / weights", "clipped"].map((name) => html("th", { scope: "col" }, name))),
      ...trial.gradients.map((one) => html("tr", {}, html("th", { scope: "row" }, one.name), html("td", {}, histogram(one.gradients)), html("td", {}, one.update === undefined || one.update === null ? "-" : brief(one.update)), html("td", {}, one.clipped === undefined ? "-" : likelyShare(one.clipped)))));
    box.append(html("div", { class: "side" }, html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "outputs by layer" }, rows),
      html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "gradients by layer" }, grads)));
    return box;
  }
  const likelyShare = (v) => `${(100 * v).toFixed(1)} %`;

  let frame = 0;
  const stop = watch((state) => { frame ||= requestAnimationFrame(() => { frame = 0; show(state); }); });
  function show({ trials, running }) {
    const [first] = trials;
    if (!first) {
      status.textContent = "No training yet: choose a story or a recipe below.";
      return;
    }
    status.textContent = trials.map((one) => `${one.name}: ${one.ended || `epoch ${one.epoch} of ${one.epochs}, batch ${one.batch} of ${one.of}${running ? "" : ", paused"}`}`).join("; ");
    const two = trials.length > 1;
    const parts = (name) => (two ? trials.map((one, i) => ({ name: one.name, kind: KINDS[i], values: one.history.map((e) => e[`validation_${name}`] ?? e[`train_${name}`]) }))
      : KINDS.map((part) => ({ name: part, kind: part, values: first.history.map((e) => e[`${part === "training" ? "train" : part}_${name}`] ?? null) })));
    curves.replaceChildren(
      lines("Loss of each batch", trials.map((one, i) => ({ name: one.name, kind: KINDS[i], x: one.losses.map(([s]) => s), values: one.losses.map(([, v]) => v) })), { x: "batch", y: "nats" }),
      lines(`Loss${two ? ", of the validation" : ""}`, parts("loss"), { y: "nats" }), lines(`Accuracy${two ? ", of the validation" : ""}`, parts("accuracy")));
    looks.replaceChildren(...trials.map(inside));
    answers.replaceChildren(...trials.map((one) => (one.answers
      ? bars(one.name, one.answers.map((p, k) => [p, k]).sort((a, b) => b[0] - a[0]).slice(0, 3).map(([p, k], i) => ({ name: one.classes[k], value: p, text: likely(p), kind: i ? "" : "first" })), { width: 280 })
      : html("p", { class: "soft" }, "Draw something, and see what it makes of it while it learns."))));
    seen.replaceChildren(...first.findings.map((finding) => {
      const box = html("div", { class: `finding ${finding.severity}` }, html("b", {}, `${finding.severity}: ${finding.name}`), html("p", {}, finding.evidence), html("p", {}, finding.suggestion));
      if (Object.keys(finding.change).length && about.recipes[first.recipe]) {
        box.append(button("Do it", "Begin anew with what is suggested", { do: "begin", recipe: first.recipe, set: finding.change, limit: Number(limit.value) || null }));
      }
      return box;
    }));
    if (!first.findings.length) seen.append(html("p", { class: "soft" }, "Nothing yet."));
    const states = first.states.join();
    if (back.dataset.states !== states) {
      back.dataset.states = states;
      back.replaceChildren(...first.states.map((steps) => html("option", { value: steps }, `batch ${steps}`)));
      back.value = first.states.at(-1);
    }
    for (const { what, knob, input, value } of knobs) {
      const now = what === "learning_rate" ? first.rate : what === "momentum" ? first.momentum : first.moves.filter(([, w]) => w === what).at(-1)?.[2];
      if (document.activeElement !== input && now !== null && now !== undefined) { input.value = knob.to ? knob.to(now) : now; value.textContent = brief(now); }
    }
  }
  return () => stop();
}
