// The report: shows the data in the page, section by section, and lets the network answer a drawing.

import { drawing } from "./drawing.js";
import { load } from "./forward.js";
import { lines, bars, matrix, image, bytes, percent, likely, brief } from "./chart.js";
import { html } from "./dom.js";

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
  if (head)
    made.append(html("tr", {}, ...head.map((name) => (name ? html("th", { scope: "col" }, name) : html("td")))));
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
  [
    "mean absolute error",
    (m) => brief(m.test_mean_absolute_error ?? NaN),
    (m) => m.test_mean_absolute_error !== undefined,
  ],
  [
    "root mean squared error",
    (m) => brief(m.test_root_mean_squared_error ?? NaN),
    (m) => m.test_root_mean_squared_error,
  ],
  ["R²", (m) => brief(m.test_r2 ?? NaN), (m) => m.test_r2 !== undefined],
  ["training accuracy", (m) => share(m.train_accuracy), (m) => m.train_accuracy !== undefined],
  ["validation accuracy", (m) => share(m.validation_accuracy), (m) => typeof m.validation_accuracy === "number"],
  ["calibration error", (m) => share(m.trust?.calibration_error), (m) => m.trust],
  ["epochs", (m) => count(m.epochs), () => true],
  ["training time", (m) => `${Math.floor(m.seconds / 60)} min ${Math.round(m.seconds % 60)} s`, () => true],
  ["parameters", (m) => count(m.parameters), () => true],
  ["trained on", (m) => count(either(m, "train")), () => true],
  ["tested on", (m) => count(either(m, "test")), () => true],
];

main.append(
  html(
    "header",
    {},
    html("h1", {}, runs.map((run) => run.name).join(", ")),
    html("p", { class: "soft" }, several ? `${runs.length} runs side by side` : runs[0].title),
  ),
);

const shown = figures.filter(([, , there]) => runs.some((run) => there(run.metrics)));
const first = card("Figures");
if (!several && runs[0].metrics.test_accuracy !== undefined) {
  first.append(
    html("p", { class: "figure-large" }, share(runs[0].metrics.test_accuracy)),
    html(
      "p",
      { class: "soft" },
      `of ${count(either(runs[0].metrics, "test"))} test examples, not seen in training, are classified correctly`,
    ),
  );
}
first.append(
  table(
    shown.map(([name, value]) => [name, ...runs.map((run) => value(run.metrics))]),
    several ? ["", ...runs.map((run) => run.name)] : undefined,
  ),
);
if (several) first.classList.add("whole");

// The network, with a paper to draw on

const networks = runs
  .filter((run) => run.model)
  .map((run) => ({ name: run.name, model: load(run.model), judge: run.judge && load(run.judge) }));
if (networks.length) {
  card("Draw a digit for the network in this page", drawing(networks)).classList.add("whole", "noprint");
}
for (const run of runs) {
  if (run.no_model)
    card(named(run, "The network is not in this page"), html("p", { class: "soft" }, `${run.no_model}.`));
}

// Curves

const column = (run, name) => run.history.map((epoch) => epoch[name] ?? null);
const kinds = ["training", "validation", "third", "other"];
const metricNames = [
  "loss",
  ...new Set(
    runs.flatMap((run) =>
      Object.keys(run.history[0] ?? {})
        .filter((key) => key.startsWith("train_") && key !== "train_loss")
        .map((key) => key.slice(6)),
    ),
  ),
];
// Cross-entropy is measured in nats. Losses and accuracies of different tasks cannot be compared.
const losses = new Set(runs.map((run) => JSON.stringify(run.settings.loss))),
  classes = new Set(runs.map((run) => run.classes.join()));
const unit = runs.every((run) => run.settings.loss?.type.includes("CrossEntropy")) ? "nats" : "";
function incomparable(name) {
  if (classes.size > 1)
    return html(
      "p",
      { class: "soft" },
      "These runs have different tasks or classes, so their curves cannot be compared.",
    );
  if (name === "loss" && losses.size > 1)
    return html(
      "p",
      { class: "soft" },
      "These runs minimized different losses, which cannot be compared; their accuracies can.",
    );
  return "";
}

for (const name of metricNames) {
  const series = several
    ? runs.map((run, i) => ({
        name: run.name,
        kind: kinds[i % 4],
        values: column(
          run,
          column(run, `validation_${name}`).some((v) => v !== null) ? `validation_${name}` : `train_${name}`,
        ),
      }))
    : ["training", "validation"]
        .map((part) => ({
          name: part,
          kind: part,
          values: column(runs[0], `${part === "training" ? "train" : part}_${name}`),
        }))
        .filter((one) => one.values.some((v) => v !== null));
  const title = name.replaceAll("_", " ");
  card(
    title[0].toUpperCase() + title.slice(1),
    lines(several ? `${title} on validation examples, or on training examples if there are none` : "by epoch", series, {
      y: name === "loss" ? unit : "",
      share: name === "accuracy",
    }),
    incomparable(name),
    runs.every((run) => run.history.length < 2) ? html("p", { class: "soft" }, "One epoch gives only one point.") : "",
  );
}

function mistakesOf(run) {
  const { images, size, why } = run.mistakes;
  const tiles = html("ul", { class: "tiles" });
  for (const one of images) {
    const label = `${one.label} classified as ${one.answer}`;
    tiles.append(html("li", {}, image(bytes(one.pixels), size[0], size[1], label), `${label}, ${likely(one.share)}`));
  }
  const wrong =
    run.metrics.test_accuracy === undefined
      ? ""
      : ` (${images.length} of ${Math.round((1 - run.metrics.test_accuracy) * either(run.metrics, "test"))})`;
  card(
    named(run, `Most confident mistakes${images.length ? wrong : ""}`),
    images.length ? tiles : html("p", { class: "soft" }, `No images: ${why}.`),
  ).classList.add("whole");
}

// Classes, mistakes, trust, findings and provenance of each run

for (const run of runs) {
  if (run.confusion) {
    card(
      named(run, "Which classes are confused"),
      html("p", { class: "soft" }, "Rows: the true class. Columns: the predicted class."),
      matrix("Confusion matrix", run.confusion, run.classes),
    ).classList.add("whole");
  }
  if (run.by_class.length) {
    const least = Math.min(...run.by_class.map((one) => one.low)),
      floor = Math.floor(20 * least) / 20;
    card(
      named(run, "Accuracy by class"),
      bars(
        `Share classified correctly, from ${percent(floor, 0)} to 100 %, with 95 % intervals`,
        run.by_class.map((one) => ({
          name: one.name,
          value: one.share,
          low: one.low,
          high: one.high,
          text: percent(one.share, 2),
        })),
        { least: floor },
      ),
    );
  }
  const trust = run.metrics.trust;
  if (trust) {
    const section = card(
      named(run, "Are the probabilities reliable?"),
      lines(
        "Reliability",
        [
          { name: "perfect calibration", kind: "other", x: [0, 1], values: [0, 1] },
          {
            name: "this model",
            kind: "training",
            x: trust.bins.map(([c]) => c),
            values: trust.bins.map(([, a]) => a),
          },
        ],
        { x: "confidence", y: "share right", low: 0, high: 1 },
      ),
    );
    const kept = Object.entries(trust.certain ?? {});
    if (kept.length) {
      section.append(
        html("h3", {}, "How many answers can the network give if this share of them must be right?"),
        table(
          kept.map(([promised, of]) => [
            percent(Number(promised), 2),
            percent(of.coverage, 2),
            of.accuracy === null ? "-" : percent(of.accuracy, 2),
          ]),
          ["required share right", "answered", "right among these"],
        ),
      );
    }
  }
  if (run.confusion || run.by_class.length) mistakesOf(run);
  if (run.stress) {
    card(
      named(run, "Robustness"),
      html("p", { class: "soft" }, "Accuracy on corrupted images, severity 1 to 5."),
      table(
        Object.entries(run.stress.corruptions).map(([name, by]) => [name, ...Object.values(by).map((v) => percent(v))]),
        ["", "1", "2", "3", "4", "5"],
      ),
    );
  }
  const section = card(named(run, "Diagnosis"));
  for (const finding of run.findings) {
    section.append(
      html(
        "div",
        { class: `finding ${finding.severity}` },
        html("b", {}, `${finding.severity}: ${finding.name}`),
        html("p", {}, finding.evidence),
        html("p", {}, `What to do: ${finding.suggestion}`),
      ),
    );
  }
  if (!run.findings.length) section.append(html("p", {}, "Nothing wrong was found."));
  card(named(run, "The network, layer by layer"), html("pre", { tabindex: 0 }, run.summary));
  card(
    named(run, "Where the figures come from"),
    table(Object.entries(run.provenance).map(([name, value]) => [name, String(value ?? "-")])),
  );
}
main.append(
  html(
    "footer",
    { class: "whole soft" },
    `Written by plainnet ${version}, ${written.replace("T", " ").replace("+00:00", "")} UTC.`,
  ),
);
