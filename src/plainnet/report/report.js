// The report: shows what the data in the page tell, section by section, and lets the network answer a drawing.

import { prepared } from "./prepare.js";
import { load, answers } from "./forward.js";
import { html, lines, bars, matrix, image, bytes, percent, likely, brief } from "./chart.js";
import { pad } from "./pad.js";

const { runs, written, version } = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("report");
const several = runs.length > 1;

function card(title, ...content) {
  const section = html("section", { class: "card" }, html("h2", {}, title), ...content);
  main.append(section);
  return section;
}

const named = (run, title) => (several ? `${title}: ${run.name}` : title);
const table = (rows, head) => {
  const made = html("table", { class: "compare" });
  if (head) made.append(html("tr", {}, ...head.map((name) => (name ? html("th", { scope: "col" }, name) : html("td")))));
  for (const [name, ...values] of rows) {
    made.append(html("tr", {}, html("th", { scope: "row" }, name), ...values.map((value) => html("td", {}, value))));
  }
  return html("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "table" }, made);
};

// Title and figures

const count = (n) => (n === undefined || n === null ? "-" : n.toLocaleString("en"));
const share = (v) => (typeof v === "number" ? percent(v, 2) : "-");
const either = (metrics, name) => metrics[`${name}_images`] ?? metrics[`${name}_examples`];
const figures = [
  ["test accuracy", (m) => share(m.test_accuracy), (m) => m.test_accuracy !== undefined],
  ["95 % interval", (m) => m.test_interval_95?.map(share).join(" to ") ?? "-", (m) => m.test_interval_95],
  ["test loss", (m) => brief(m.test_loss ?? NaN), (m) => m.test_loss !== undefined],
  ["mean absolute error", (m) => brief(m.test_mean_absolute_error ?? NaN), (m) => m.test_mean_absolute_error !== undefined],
  ["training accuracy", (m) => share(m.train_accuracy), (m) => m.train_accuracy !== undefined],
  ["validation accuracy", (m) => share(m.validation_accuracy), (m) => typeof m.validation_accuracy === "number"],
  ["calibration error", (m) => share(m.trust?.calibration_error), (m) => m.trust],
  ["epochs", (m) => count(m.epochs), () => true],
  ["training time", (m) => `${Math.floor(m.seconds / 60)} min ${Math.round(m.seconds % 60)} s`, () => true],
  ["parameters", (m) => count(m.parameters), () => true],
  ["trained on", (m) => count(either(m, "train")), () => true],
  ["tested on", (m) => count(either(m, "test")), () => true],
];

main.append(html("header", {}, html("h1", {}, runs.map((run) => run.name).join(", ")),
  html("p", { class: "soft" }, several ? `${runs.length} trainings side by side` : runs[0].title)));

const shown = figures.filter(([, , there]) => runs.some((run) => there(run.metrics)));
const first = card("Figures");
if (!several && runs[0].metrics.test_accuracy !== undefined) {
  first.append(html("p", { class: "figure-large" }, share(runs[0].metrics.test_accuracy)),
    html("p", { class: "soft" }, `of ${count(either(runs[0].metrics, "test"))} test examples, which the training has not seen, are recognized`));
}
first.append(table(shown.map(([name, value]) => [name, ...runs.map((run) => value(run.metrics))]),
  several ? ["", ...runs.map((run) => run.name)] : undefined));
if (several) first.classList.add("whole");

// The network, to draw for

const networks = runs.filter((run) => run.model).map((run) => ({ name: run.name, model: load(run.model), judge: run.judge && load(run.judge) }));

// How sure an answer is, as `plainnet predict` has it: the odds of the answer times the odds that it is a digit at all.
function sureness(shares, judge, pixels) {
  const p = Math.max(...shares);
  if (!judge) return p;
  const clip = (v) => Math.min(1 - 1e-6, Math.max(1e-6, v)), odds = (v) => clip(v) / (1 - clip(v));
  const both = odds(p) * odds(answers(judge, pixels, 0)[1]);
  return both / (1 + both);
}

if (networks.length) {
  const canvas = html("canvas", { class: "pad", width: 560, height: 560, tabindex: 0, role: "application",
    "aria-label": "Paper to draw a digit on. Arrows move the pen, space puts it down or lifts it, Escape clears." });
  const said = html("div", { class: "answers", "aria-live": "polite" }), sees = html("div", { class: "sees" });
  const show = (strokes, pen) => {
    const drawing = prepared(strokes, pen);
    said.replaceChildren();
    sees.replaceChildren();
    if (!drawing) {
      said.append(html("p", { class: "answer unsure" }, "nothing drawn"), html("p", { class: "soft" }, "Draw a digit, of any size, anywhere."));
      return;
    }
    sees.append(image(drawing.image, 28, 28, "what the network sees, 28 by 28"), html("p", { class: "soft" }, "what it sees, 28x28"));
    for (const { name, model, judge } of networks) {
      const shares = answers(model, drawing.image, Math.max(model.shifts, 1));
      const best = shares.indexOf(Math.max(...shares));
      const sure = sureness(shares, judge, drawing.image) >= (model.thresholds[best] ?? 0);
      const order = shares.map((p, k) => [p, k]).sort((a, b) => b[0] - a[0]).slice(0, 10);
      if (several) said.append(html("h3", {}, name));
      said.append(html("p", { class: sure ? "answer" : "answer unsure" },
        sure ? model.classes[best] : `not sure: ${order.slice(0, 2).map(([, k]) => model.classes[k]).join(" or ")}`));
      said.append(bars("Probabilities", order.map(([p, k], i) => ({ name: model.classes[k], value: p, text: likely(p), kind: i ? "" : "first" }))));
    }
  };
  let waiting = null;
  const paper = pad(canvas, { changed: (strokes, pen) => {
    waiting ??= requestAnimationFrame(() => { waiting = null; show(paper.strokes, paper.pen); });
  } });
  const clear = html("button", { type: "button" }, "Clear"), undo = html("button", { type: "button" }, "Undo");
  clear.addEventListener("click", () => paper.clear());
  undo.addEventListener("click", () => paper.undo());
  card("Draw a digit: the network is in this page", html("div", { class: "drawing" },
    html("div", {}, canvas, html("div", { class: "row" }, clear, undo)), sees, said)).classList.add("whole", "noprint");
  show([], 90);
}
for (const run of runs) {
  if (run.no_model) card(named(run, "The network"), html("p", { class: "soft" }, `is not in this page: ${run.no_model}.`));
}

// Curves

const column = (run, name) => run.history.map((epoch) => epoch[name] ?? null);
const kinds = ["training", "validation", "third", "other"];
const metricNames = ["loss", ...new Set(runs.flatMap((run) => Object.keys(run.history[0] ?? {})
  .filter((key) => key.startsWith("train_") && key !== "train_loss").map((key) => key.slice(6))))];
for (const name of metricNames) {
  const series = several
    ? runs.map((run, i) => ({ name: run.name, kind: kinds[i % 4],
      values: column(run, column(run, `validation_${name}`).some((v) => v !== null) ? `validation_${name}` : `train_${name}`) }))
    : ["training", "validation"].map((part) => ({ name: part, kind: part, values: column(runs[0], `${part === "training" ? "train" : part}_${name}`) }))
      .filter((one) => one.values.some((v) => v !== null));
  const title = name.replaceAll("_", " ");
  card(title[0].toUpperCase() + title.slice(1), lines(several ? `${title}, of the validation where there is one` : title, series,
    { y: name === "loss" ? "nats" : "" }),
    runs.every((run) => run.history.length < 2) ? html("p", { class: "soft" }, "One epoch: a point, no curve yet.") : "");
}

// Classes, mistakes, trust, findings, provenance: of each run

for (const run of runs) {
  if (run.confusion) {
    card(named(run, "What was taken for what"), html("p", { class: "soft" }, "Rows: what it is. Columns: what it was taken for."),
      matrix("Confusion matrix", run.confusion, run.classes)).classList.add("whole");
  }
  if (run.by_class.length) {
    const least = Math.min(...run.by_class.map((one) => one.low)), floor = Math.floor(20 * least) / 20;
    card(named(run, "Accuracy by class"), bars(`Share recognized, from ${percent(floor, 0)} to 100 %, with 95 % intervals`,
      run.by_class.map((one) => ({ name: one.name, value: one.share, low: one.low, high: one.high, text: percent(one.share, 2) })), { least: floor }));
  }
  const trust = run.metrics.trust;
  if (trust) {
    const section = card(named(run, "Do the probabilities mean what they say?"), lines("Reliability",
      [{ name: "as sure as right", kind: "other", x: [0, 1], values: [0, 1] },
        { name: "accuracy of answers so sure", kind: "training", x: trust.bins.map(([c]) => c), values: trust.bins.map(([, a]) => a) }],
      { x: "confidence", low: 0, high: 1 }));
    const kept = Object.entries(trust.certain ?? {});
    if (kept.length) {
      section.append(html("h3", {}, "Coverage: answers that are given where a share of right ones is promised"),
        table(kept.map(([promised, of]) => [`${percent(Number(promised), 2)} promised`, percent(of.coverage), of.accuracy === null ? "-" : percent(of.accuracy, 2)]),
          ["", "answered", "of these right"]));
    }
  }
  const { images, size, why } = run.mistakes;
  const tiles = html("ul", { class: "tiles" });
  for (const one of images) {
    const label = `${one.label} taken for ${one.answer}`;
    tiles.append(html("li", {}, image(bytes(one.pixels), size[0], size[1], label), `${label}, ${likely(one.share)}`));
  }
  const wrong = run.metrics.test_accuracy === undefined ? "" : ` (${images.length} of ${Math.round((1 - run.metrics.test_accuracy) * either(run.metrics, "test"))})`;
  card(named(run, `Mistakes it was surest of${images.length ? wrong : ""}`), images.length ? tiles : html("p", { class: "soft" }, `No images: ${why}.`)).classList.add("whole");
  if (run.stress) {
    card(named(run, "Robustness"), html("p", { class: "soft" }, "Accuracy on images that were spoiled, severity 1 to 5."),
      table(Object.entries(run.stress.corruptions).map(([name, by]) => [name, ...Object.values(by).map((v) => percent(v))]), ["", "1", "2", "3", "4", "5"]));
  }
  const section = card(named(run, "Diagnosis"));
  for (const finding of run.findings) {
    section.append(html("div", { class: `finding ${finding.severity}` }, html("b", {}, `${finding.severity}: ${finding.name}`),
      html("p", {}, finding.evidence), html("p", {}, `What to do: ${finding.suggestion}`)));
  }
  if (!run.findings.length) section.append(html("p", {}, "Nothing wrong was found."));
  card(named(run, "The network, layer by layer"), html("pre", { tabindex: 0 }, run.summary));
  card(named(run, "Where the figures come from"), table(Object.entries(run.provenance).map(([name, value]) => [name, String(value ?? "-")])));
}
main.append(html("footer", { class: "whole soft" }, `Written by plainnet ${version}, ${written.replace("T", " ").replace("+00:00", "")} UTC.`));
