// The paper in a report, and the answers of its networks to a drawing.

import { bars, image, likely } from "./chart.js";
import { button, html } from "./dom.js";
import { answers } from "./forward.js";
import { pad, paperCanvas } from "./pad.js";
import { prepared } from "./prepare.js";

// The confidence of an answer, as in `plainnet predict`: the odds of the answer times the odds of being a digit.
function sureness(shares, judge, pixels) {
  const p = Math.max(...shares);
  if (!judge) return p;
  const clip = (v) => Math.min(1 - 1e-6, Math.max(1e-6, v)),
    odds = (v) => clip(v) / (1 - clip(v));
  const both = odds(p) * odds(answers(judge, pixels, 0)[1]);
  return both / (1 + both);
}

// Each network has a name, a model, and perhaps a judge: a second network that tells whether a drawing is a digit
export function drawing(networks) {
  const canvas = paperCanvas();
  const said = html("div", { class: "answers", "aria-live": "polite" }),
    sees = html("div", { class: "sees" });
  const show = (strokes, pen) => {
    const drawing = prepared(strokes, pen);
    said.replaceChildren();
    sees.replaceChildren();
    if (!drawing) {
      said.append(
        html("p", { class: "answer unsure" }, "nothing drawn"),
        html("p", { class: "soft" }, "Draw a digit of any size, anywhere on the paper."),
      );
      return;
    }
    sees.append(
      image(drawing.image, 28, 28, "what the network sees, 28 by 28"),
      html("p", { class: "soft" }, "what the network sees, 28x28"),
    );
    for (const { name, model, judge } of networks) {
      const shares = answers(model, drawing.image, Math.max(model.shifts, 1));
      const best = shares.indexOf(Math.max(...shares));
      const sure = sureness(shares, judge, drawing.image) >= (model.thresholds[best] ?? 0);
      const order = shares
        .map((p, k) => [p, k])
        .sort((a, b) => b[0] - a[0])
        .slice(0, 10);
      if (networks.length > 1) said.append(html("h3", {}, name));
      said.append(
        html(
          "p",
          { class: sure ? "answer" : "answer unsure" },
          sure
            ? model.classes[best]
            : `not sure: ${order
                .slice(0, 2)
                .map(([, k]) => model.classes[k])
                .join(" or ")}`,
        ),
      );
      said.append(
        bars(
          "Probabilities",
          order.map(([p, k], i) => ({ name: model.classes[k], value: p, text: likely(p), kind: i ? "" : "first" })),
        ),
      );
    }
  };
  let waiting = null;
  const paper = pad(canvas, {
    changed: (strokes, pen) => {
      waiting ??= requestAnimationFrame(() => {
        waiting = null;
        show(paper.strokes, paper.pen);
      });
    },
  });
  const clear = button("Clear", () => paper.clear()),
    undo = button("Undo", () => paper.undo());
  show([], 90);
  return html(
    "div",
    { class: "drawing" },
    html("div", {}, canvas, html("div", { class: "row" }, clear, undo)),
    sees,
    said,
  );
}
