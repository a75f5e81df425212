// The answer to a drawing: what it is, how probable, what the network sees, what speaks for it, what is near.

import { bars, brief, bytes, image, likely } from "./chart.js";
import { button, html } from "./dom.js";
import { explained } from "./explain.js";
import { figureOf, signed, tile } from "./layers.js";
import { prepared } from "./prepare.js";

// Why there is no answer, in a sentence
function whyNot({ reason, confidence, least }, order, classes) {
  const [p, k] = order[0],
    first = `Among the classes it is most like a ${classes[k]} (${likely(p)})`;
  if (reason === "not sure" && p > 0.9 && confidence) {
    return `${first}, but drawings like this are seldom digits: confidence ${likely(confidence)}, and ${likely(least[k] ?? 0)} is needed for an answer.`;
  }
  if (reason === "not sure") return `${first}, which is not enough for an answer.`;
  if (reason === "no digit") return `${first}, but its shape is not one line or a few, as a digit's is.`;
  if (reason === "several digits") return "There is more than one digit on the paper; draw one.";
  return "";
}

// Return the card, and the function that shows an answer in it; `take` is called with an image that is chosen.
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

  // The answer at once; the rest, which is slower to paint, when the screen has it. `drawn` are the strokes and the
  // pen that the page has prepared as well, `final` whether the pen rests.
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
      sees.append(figureOf(image(own.box, 20, 20, "the box around the strokes, 20 by 20"), "the box around it, 20x20"));
    differs.textContent = "";
    if (found.seen) {
      const seen = bytes(found.seen);
      sees.append(
        figureOf(image(seen, 28, 28, "what the network sees, 28 by 28"), explained("what it sees, 28x28", "seen")),
      );
      if (own && seen.some((v, i) => v !== own.image[i]))
        differs.textContent = "The page and the lab prepared this drawing differently: please report it.";
    }
    if (found.speaks)
      sees.append(
        figureOf(
          signed(bytes(found.speaks), 28, 28, "what speaks for the answer, blue, and against it, orange"),
          explained("for (blue), against (orange)", "speaks"),
        ),
      );
    if (!found.layers) nearest.replaceChildren();
    if (found.nearest) {
      nearest.replaceChildren(
        ...found.nearest.map((one) => {
          const said = `training image, a ${one.label}; look at it`;
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

  // What is behind the probabilities: the outputs they are made of, the temperature, what other networks say.
  function tellFacts({ classes, uncalibrated, temperature, logits, others, ...found }, order) {
    const best = uncalibrated.indexOf(Math.max(...uncalibrated)),
      k = order[0][1];
    facts.append(
      html(
        "p",
        {},
        `Of one view, ${temperature === 1 ? "not calibrated" : "before calibration"}: ${classes[best]} with `,
        explained(likely(uncalibrated[best]), "probability", () => [
          `z = ${logits.map((z, i) => `${classes[i]}: ${brief(z)}`).join(", ")}`,
          `p(${classes[best]}) = exp(${brief(logits[best])}) / ${brief(logits.reduce((sum, z) => sum + Math.exp(z), 0))} = ${likely(uncalibrated[best])}`,
          `With T = ${brief(temperature)}, as the mean of the views: p(${classes[k]}) = ${likely(order[0][0])}`,
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
            "How that is told",
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
