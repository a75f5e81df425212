// The answer to a drawing: the class, its probability, what the network sees, what supports it, similar images.

import { bars, brief, bytes, image, likely } from "./chart.js";
import { button, html } from "./dom.js";
import { explained } from "./explain.js";
import { figureOf, signed, tile } from "./layers.js";
import { prepared } from "./prepare.js";

// One sentence that explains why there is no answer
function whyNot({ reason, confidence, least }, order, classes) {
  const [p, k] = order[0],
    first = `The closest class is ${classes[k]} (${likely(p)})`;
  if (reason === "not sure" && p > 0.9 && confidence) {
    return `${first}, but drawings like this are seldom digits: the confidence is ${likely(confidence)}, and an answer needs ${likely(least[k] ?? 0)}.`;
  }
  if (reason === "not sure") return `${first}, which is not enough for an answer.`;
  if (reason === "no digit") return `${first}, but its shape does not consist of one or a few lines, as a digit does.`;
  if (reason === "several digits") return "There is more than one digit on the paper; draw only one.";
  return "";
}

// Return the card and the function that shows an answer in it; `take` is called with the image that the user chooses.
export function answerCard(take) {
  const answer = html("p", { class: "answer unsure" }),
    told = html("p", { class: "hidden", "aria-live": "polite" });
  const probabilities = html("div"),
    facts = html("div"),
    sees = html("div", { class: "sees" });
  const differs = html("p", { class: "soft" }),
    nearest = html("div", { class: "sees" });
  const card = html(
    "section",
    { class: "card", "aria-label": "Answer" },
    html("h2", {}, "Answer"),
    answer,
    told,
    probabilities,
    facts,
    sees,
    differs,
    html("h2", {}, explained("Nearest training images", "nearest")),
    nearest,
  );

  // Show the answer at once, and the rest, which is slower to paint, after the screen shows the answer. `drawn` are
  // the strokes and the pen, which the page prepares as well; `final` is true while the pen rests.
  function show(found, drawn, final, then) {
    const { classes, probabilities: shares, reason } = found;
    const order = (shares ?? []).map((p, k) => [p, k]).sort((a, b) => b[0] - a[0]);
    const sentence =
      found.answer !== null
        ? found.answer
        : reason === "not sure"
          ? `not sure: ${order
              .slice(0, 2)
              .map(([, k]) => classes[k])
              .join(" or ")}`
          : reason;
    answer.textContent = sentence;
    answer.className = found.answer !== null ? "answer" : "answer unsure";
    if (final) told.textContent = `Answer: ${sentence}`;
    setTimeout(() => {
      showAll(found, drawn, order);
      then();
    }, 0);
  }

  function showAll(found, drawn, order) {
    const { classes } = found;
    probabilities.replaceChildren();
    if (order.length) {
      probabilities.append(
        bars(
          "Probabilities",
          order
            .slice(0, 10)
            .map(([p, k], i) => ({ name: classes[k], value: p, text: likely(p), kind: i ? "" : "first" })),
          { width: 280 },
        ),
      );
    }
    sees.replaceChildren();
    const own = drawn ? prepared(...drawn) : null;
    if (own)
      sees.append(
        figureOf(image(own.box, 20, 20, "the box around the strokes, 20 by 20"), "the box around the drawing, 20x20"),
      );
    differs.textContent = "";
    if (found.seen) {
      const seen = bytes(found.seen);
      sees.append(
        figureOf(
          image(seen, 28, 28, "what the network sees, 28 by 28"),
          explained("what the network sees, 28x28", "seen"),
        ),
      );
      if (own && seen.some((v, i) => v !== own.image[i]))
        differs.textContent =
          "The page and the lab prepared this drawing differently. This is a bug: please report it.";
    }
    if (found.speaks)
      sees.append(
        figureOf(
          signed(bytes(found.speaks), 28, 28, "what supports the answer, blue, and what contradicts it, orange"),
          explained("for (blue), against (orange)", "speaks"),
        ),
      );
    if (!found.layers) nearest.replaceChildren();
    if (found.nearest) {
      nearest.replaceChildren(
        ...found.nearest.map((one) => {
          const said = `training image, a ${one.label}; open it`;
          return button(tile(one), () => take(bytes(one.pixels), { label: one.label }), {
            class: "plain",
            "aria-label": said,
          });
        }),
      );
    }
    facts.replaceChildren();
    if (found.uncalibrated) tellFacts(found, order);
  }

  // Where the probabilities come from: the logits, the temperature, and what other networks answer.
  function tellFacts({ classes, uncalibrated, temperature, logits, others, ...found }, order) {
    const best = uncalibrated.indexOf(Math.max(...uncalibrated)),
      k = order[0][1];
    facts.append(
      html(
        "p",
        {},
        `From a single view, ${temperature === 1 ? "not calibrated" : "before calibration"}: ${classes[best]} with `,
        explained(likely(uncalibrated[best]), "probability", () => [
          `z = ${logits.map((z, i) => `${classes[i]}: ${brief(z)}`).join(", ")}`,
          `p(${classes[best]}) = exp(${brief(logits[best])}) / ${brief(logits.reduce((sum, z) => sum + Math.exp(z), 0))} = ${likely(uncalibrated[best])}`,
          `With T = ${brief(temperature)}, as a mean over the views: p(${classes[k]}) = ${likely(order[0][0])}`,
        ]),
        ".",
      ),
    );
    const why = whyNot(found, order, classes);
    if (why)
      facts.append(
        html(
          "p",
          {},
          `${why} `,
          explained(
            "How this is decided",
            "not sure",
            () => `p = ${likely(order[0][0])}${found.confidence ? `, s = ${likely(found.confidence)}` : ""}`,
          ),
        ),
      );
    for (const [name, shares] of Object.entries(others)) {
      const first = shares.indexOf(Math.max(...shares));
      facts.append(
        html("p", { class: "other" }, html("b", {}, name), ` says ${classes[first]}, ${likely(shares[first])}`),
      );
    }
  }

  return { card, show };
}
