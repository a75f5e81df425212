// The page of a sweep: the best trial, which settings matter, what all trials tried, and their curves.

import { bars, brief, lines, percent } from "./chart.js";
import { button, html } from "./dom.js";
import { parallel, resultScale, slice } from "./parallel.js";

const sweep = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("report");
const { trials, space, direction, ranked } = sweep;
const ended = ranked.map((number) => trials.find((one) => one.number === number));
const best = ended[0];
const among = new Set(ended.slice(0, Math.max(1, Math.ceil(ended.length / 10))).map((one) => one.number));
const isGood = (trial) => among.has(trial.number);
const figureName = best ? best.figure.replaceAll("_", " ") : "";
const isShare = figureName.endsWith("accuracy");
const value = (v) => (v === null || v === undefined ? "-" : isShare ? percent(v, 2) : brief(v));
const asText = (v) =>
  typeof v === "object" ? JSON.stringify(v) : typeof v === "number" && !Number.isInteger(v) ? brief(v) : String(v);
const settings = (trial) =>
  Object.entries(trial.overrides)
    .map(([key, v]) => `${key} = ${asText(v)}`)
    .join(", ");

function card(title, ...content) {
  const section = html("section", { class: "card" }, html("h2", {}, title), ...content);
  main.append(section);
  return section;
}

const states = [...new Set(trials.map((one) => one.state))]
  .map((state) => `${trials.filter((one) => one.state === state).length} ${state}`)
  .join(", ");
main.append(
  html(
    "header",
    {},
    html("h1", {}, `A sweep of ${sweep.name}`),
    html(
      "p",
      { class: "soft" },
      `${trials.length} of ${sweep.of} trials: ${states}. All are compared by their validation result.`,
    ),
  ),
);

if (best) {
  const rows = Object.entries(best.overrides).map(([key, v]) =>
    html("tr", {}, html("th", { scope: "row" }, key), html("td", {}, asText(v))),
  );
  card(
    "The best trial",
    html("p", { class: "figure-large" }, value(best.value)),
    html(
      "p",
      { class: "soft" },
      `${figureName} after epoch ${best.epoch}, trial ${best.number}. The largest of ${ended.length} figures is too optimistic; only the test set gives a fair figure.`.replace(
        "largest",
        direction === "maximize" ? "largest" : "smallest",
      ),
    ),
    html("table", {}, ...rows),
    html("p", { class: "soft" }, "To train this recipe: plainnet train winner.toml (the file is beside this page)."),
  );
  const shares = Object.entries(sweep.importance).sort((a, b) => b[1] - a[1]);
  const most = Math.max(...shares.map(([, v]) => v), 1e-9);
  const matters = card("Which settings matter");
  if (shares.length) {
    matters.append(
      bars(
        "How important each setting is for the result (PED-ANOVA)",
        shares.map(([key, v]) => ({ name: key.split(".").pop(), value: v, text: percent(v, 0) })),
        { most },
      ),
      html("p", { class: "soft" }, shares.map(([key]) => key).join(", ")),
    );
  } else {
    matters.append(html("p", {}, "This needs at least four finished trials."));
  }
  const result = { name: figureName, ...resultScale(ended, isShare) };
  card(
    "What was tried",
    html("p", { class: "soft" }, `Each line is one of ${ended.length} trials; the best tenth is blue and thick.`),
    html(
      "div",
      { class: "scroll parallel", tabindex: 0, role: "group", "aria-label": "parallel coordinates" },
      parallel("Parallel coordinates", space, ended, isGood, result, `The best: ${settings(best)}`),
    ),
  ).classList.add("whole");
  card(
    `${figureName[0].toUpperCase()}${figureName.slice(1)} against each setting`,
    html("div", { class: "slices" }, ...space.map((one) => slice(one, ended, isGood, result))),
  ).classList.add("whole");
  const curves = [...ended].reverse().filter((one) => one.curve.length);
  if (curves.some((one) => one.curve.length > 1)) {
    const series = (of) =>
      curves.map((one) => ({ kind: `trial${isGood(one) ? " good" : ""}`, values: one[of], trial: one.number }));
    const all = [lines(`${figureName}, epoch by epoch`, series("curve"), { share: isShare })];
    if (isShare) all.push(lines("validation loss", series("loss")));
    for (const drawing of all) card("Curves of all trials", drawing);
  }
}

const rest = trials.filter((one) => one.state !== "complete");
const lasts = space.map((one) => one.key.split(".").pop());
const brieflyNamed = lasts.map((last, i) => (lasts.indexOf(last) === lasts.lastIndexOf(last) ? last : space[i].key));
const heading = (name, title = name) => html("th", { scope: "col", title }, name.replaceAll("_", " "));
const table = html(
  "table",
  { class: "trials" },
  html(
    "tr",
    {},
    ...["trial", figureName || "result", "epoch", "seconds"].map((name) => heading(name)),
    ...space.map((one, i) => heading(brieflyNamed[i], one.key)),
  ),
);
for (const one of [...ended, ...rest]) {
  const show = button(String(one.number), () => choose(one.number), {
    "aria-pressed": "false",
    "data-show": one.number,
  });
  const said = one.state === "complete" ? value(one.value) : one.state;
  const cells = [show, said, String(one.epoch ?? "-"), one.seconds.toFixed(1)];
  const tried = space.map(({ key }) => (key in one.overrides ? asText(one.overrides[key]) : "-"));
  table.append(html("tr", {}, ...[...cells, ...tried].map((cell) => html("td", {}, cell))));
  if (one.error)
    table.append(html("tr", {}, html("td"), html("td", { colspan: tried.length + 3, class: "soft" }, one.error)));
}
card(
  "All trials",
  html("p", { class: "soft" }, "Click a number to highlight that trial in every picture."),
  html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "all trials" }, table),
).classList.add("whole");

let chosen = null;
function choose(number) {
  chosen = chosen === number ? null : number;
  for (const mark of document.querySelectorAll("[data-trial]")) {
    const is = mark.dataset.trial === String(chosen);
    mark.classList.toggle("chosen", is);
    if (is) mark.parentNode.append(mark);
  }
  for (const made of document.querySelectorAll("[data-show]"))
    made.setAttribute("aria-pressed", String(made.dataset.show === String(chosen)));
}

main.append(
  html(
    "footer",
    { class: "whole soft" },
    `Written by plainnet ${sweep.version}, ${sweep.written.replace("T", " ").replace("+00:00", "")} UTC.`,
  ),
);
