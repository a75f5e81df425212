// Train: controls, curves, weights, gradients and the findings of the diagnosis during a training run.

import { bars, brief, likely, lines, percent } from "./chart.js";
import { button, html } from "./dom.js";
import { explained } from "./explain.js";
import { inside } from "./inside.js";
import { knobs } from "./knobs.js";
import { networkCard } from "./network.js";
import { storyCard } from "./stories.js";
import { attempt, post, watch } from "./wire.js";

const KINDS = ["training", "validation"];
const NOTHING = { trials: [], running: false };

export function train(main, about, address) {
  const wish = (what) => {
    if (["begin", "follow", "leave"].includes(what.do)) {
      address.set({ story: null });
      document.getElementById("telling").hidden = true;
    }
    return attempt(post("/api/train", what));
  };
  const which = html("select", { id: "which", title: "Which training the controls below are for" });
  const whichBox = html("div", { class: "row", hidden: "" }, html("label", { for: "which" }, "Controls for"), which);
  const chosen = () => Math.max(0, which.selectedIndex);
  which.addEventListener("change", () => show(newest));
  const all = knobs((what, value) => wish({ do: "move", trial: chosen(), what, value }));
  const start = button("Start", () => wish({ do: "go" }), { title: "Continue the training" });
  const pause = button("Pause", () => wish({ do: "pause" }), { title: "Pause after the current batch" });
  const one = button("One batch", () => wish({ do: "go", batches: 1 }), { title: "Train on one batch" });
  const back = html("select", { id: "back", title: "The end of an earlier epoch" });
  const goBack = button("Go back", () => wish({ do: "back", trial: chosen(), steps: Number(back.value) }), {
    title: "Continue the training from there",
  });
  const leave = button("", () => wish({ do: "leave" }), {
    title: "End the training, and use the model that the lab was opened with again",
  });
  const closer = button("Look closer", () => wish({ do: "examine", trial: chosen() }), {
    title: "Also examine the network, the data and the first steps",
  });
  const status = html("p", { "aria-live": "polite" }),
    figures = html("div"),
    curves = html("div"),
    looks = html("div", { class: "trials" });
  const seen = html("div"),
    answers = html("div");
  let newest = NOTHING,
    frame = 0;

  const moving = html(
    "div",
    {},
    html("h2", {}, "Change settings while it trains"),
    html("p", { class: "soft" }, "A double click or the Delete key resets a slider."),
    ...all.map(({ box }) => box),
  );
  const curvesCard = html(
    "section",
    { class: "card", "aria-label": "Curves" },
    html("h2", {}, "Curves"),
    figures,
    curves,
  );
  const insideCard = html("section", { class: "card whole", "aria-label": "Inside" }, html("h2", {}, "Inside"), looks);
  main.append(
    html(
      "section",
      { class: "card controls", "aria-label": "Controls" },
      html("h2", {}, "Training"),
      status,
      html("div", { class: "row" }, start, pause, one),
      whichBox,
      html("div", { class: "row" }, html("label", { for: "back" }, "Back to"), back, goBack),
      leave,
      moving,
    ),
    curvesCard,
    html(
      "section",
      { class: "card", "aria-label": "Your drawing and diagnosis" },
      html("h2", {}, "Your drawing"),
      answers,
      html("h2", {}, "Diagnosis"),
      seen,
      closer,
    ),
    insideCard,
    storyCard(about),
    networkCard(about, address, wish),
  );

  function show(state) {
    newest = state;
    const { trials, running } = state,
      [first] = trials,
      mine = trials[chosen()] ?? first,
      open = trials.some((trial) => !trial.ended);
    const names = trials.map((trial) => trial.name).join();
    if (which.dataset.names !== names) {
      which.dataset.names = names;
      which.replaceChildren(...trials.map((trial) => html("option", {}, trial.name)));
      whichBox.hidden = trials.length < 2;
    }
    start.disabled = one.disabled = running || !open;
    pause.disabled = !running;
    goBack.disabled = closer.disabled = !first;
    back.parentElement.hidden = moving.hidden = insideCard.hidden = !first;
    leave.hidden = !first || !about.opened;
    leave.textContent = `Back to ${about.opened}`;
    status.textContent = first
      ? trials.map((trial) => told(trial, running)).join("; ")
      : "No training yet: choose a story or a network below.";
    figures.replaceChildren(...trials.map(lastEpoch));
    curves.replaceChildren(
      ...(first
        ? drawn(trials)
        : [html("p", { class: "soft" }, "Losses and accuracies appear here, batch by batch, once a training runs.")]),
    );
    looks.replaceChildren(...trials.map(inside));
    answers.replaceChildren(
      ...(trials.length
        ? trials.map(answered)
        : [html("p", { class: "soft" }, "Draw something to see how the answer changes during training.")]),
    );
    seen.replaceChildren(...(mine ? findings(mine) : []));
    if (!mine) return;
    const states = mine.states.join();
    if (back.dataset.states !== states) {
      back.dataset.states = states;
      back.replaceChildren(...mine.states.map((steps) => html("option", { value: steps }, `batch ${steps}`)));
      back.value = mine.states.at(-1);
    }
    for (const knob of all) knob.show(mine.knobs);
  }

  function findings(trial) {
    const boxes = trial.findings.map((finding, k) => {
      const box = html(
        "div",
        { class: `finding ${finding.severity}` },
        html("b", {}, `${finding.severity}: ${finding.name}`),
        html("p", {}, finding.evidence),
        html("p", {}, finding.suggestion),
      );
      const changes = Object.entries(finding.change)
        .map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
        .join(", ");
      if (changes) {
        box.append(
          html(
            "div",
            { class: "row" },
            button("Apply and restart", () => wish({ do: "follow", trial: chosen(), finding: k }), {
              title: "Start again with this change and everything else the same",
            }),
            html("code", {}, changes),
          ),
        );
      }
      return box;
    });
    const looked =
      trial.examined === null ? "" : ` The closer look was after batch ${trial.examined.toLocaleString("en")}.`;
    const nothing = trial.history.length ? "Nothing wrong found so far." : "The diagnosis runs after each epoch.";
    return [...boxes, html("p", { class: "soft" }, (boxes.length ? "" : nothing) + looked)];
  }

  show(NOTHING);
  const stop = watch((state) => {
    newest = state;
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      show(newest);
    });
  });
  return () => {
    stop();
    cancelAnimationFrame(frame);
  };
}

function told(trial, running) {
  const at = `epoch ${trial.epoch} of ${trial.epochs}, batch ${trial.batch} of ${trial.of}`;
  return `${trial.name}: ${trial.ended || `${at}${running ? "" : ", paused"}`}`;
}

// The curves of one training run, or the validation curves of two
function drawn(trials) {
  const two = trials.length > 1,
    [first] = trials;
  const series = (name) =>
    two
      ? trials.map((trial, i) => ({
          name: trial.name,
          kind: KINDS[i],
          values: trial.history.map((e) => e[`validation_${name}`] ?? e[`train_${name}`]),
        }))
      : KINDS.map((part) => ({
          name: part,
          kind: part,
          values: first.history.map((e) => e[`${part === "training" ? "train" : part}_${name}`] ?? null),
        }));
  const batches = trials.map((trial, i) => ({
    name: trial.name,
    kind: KINDS[i],
    x: trial.losses.map(([s]) => s),
    values: trial.losses.map(([, v]) => v),
  }));
  const of = two ? ", validation" : "";
  return [
    lines("Loss of the batches", batches, { x: "batch", y: "nats" }),
    lines(`Loss${of}`, series("loss"), { y: "nats" }),
    lines(`Accuracy${of}`, series("accuracy"), { share: true }),
  ];
}

// The current answers of the networks to the drawing
function answered(trial) {
  if (!trial.answers)
    return html("p", { class: "soft" }, "Draw something to see how the answer changes during training.");
  const order = trial.answers
    .map((p, k) => [p, k])
    .sort((a, b) => b[0] - a[0])
    .slice(0, 3);
  return bars(
    trial.name,
    order.map(([p, k], i) => ({ name: trial.classes[k], value: p, text: likely(p), kind: i ? "" : "first" })),
    { width: 280 },
  );
}

// The figures of the last complete epoch; each can be opened
function lastEpoch(trial) {
  const last = trial.history.at(-1),
    epoch = trial.history.length;
  if (!last) return html("p", { class: "soft" }, `${trial.name}: no complete epoch yet.`);
  const figure = (part, name) => {
    const value = last[`${part === "training" ? "train" : part}_${name}`];
    if (typeof value !== "number") return [];
    return [
      " ",
      explained(
        name === "loss" ? brief(value) : percent(value, 2),
        name,
        () => `${part} ${name} after epoch ${epoch}: ${value}`,
      ),
      ` (${part})`,
    ];
  };
  return html(
    "p",
    {},
    html("b", {}, trial.name),
    ` after epoch ${epoch}: loss`,
    ...figure("training", "loss"),
    ...figure("validation", "loss"),
    "; accuracy",
    ...figure("training", "accuracy"),
    ...figure("validation", "accuracy"),
  );
}
