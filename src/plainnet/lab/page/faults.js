// A fault in the backward pass of a small network: put in, looked for by central differences, named, taken out.

import { button, html } from "./dom.js";
import { shown } from "./moments.js";
import { FAULTS, backwardPass, centralDifference, forwardPass } from "./step.js";

// The gradients that are not what central differences say: name, what it is, what it should be
function differing(network, fault) {
  const { layers } = backwardPass(network, forwardPass(network), fault);
  const all = network.layers.flatMap(({ W, b }, k) => [
    ...W.flatMap((row, i) =>
      row.map((_, j) => [`dW${k + 1}.${i + 1}${j + 1}`, layers[k].dW[i][j], centralDifference(network, k, i, j)]),
    ),
    ...b.map((_, j) => [`db${k + 1}.${j + 1}`, layers[k].db[j], centralDifference(network, k, null, j)]),
  ]);
  return all.filter(([, ours, theirs]) => Math.abs(ours - theirs) > 1e-6 * Math.max(1, Math.abs(theirs)));
}

// A row of controls. `current` gives the network as it is, `put` puts a fault in by name, `said` says what comes of it.
export function faultRow(current, put, said) {
  let fault = "none";
  const options = Object.entries(FAULTS).map(([name, { says }]) => html("option", { value: name }, says));
  const guess = html("select", { id: "guess" }, ...options);
  const change = (name, sentence) => {
    fault = name;
    put(name);
    said.textContent = sentence;
  };

  function spoil() {
    const telling = Object.keys(FAULTS).filter((name) => differing(current(), name).length);
    if (!telling.length) return change("none", "No fault would show with these numbers; change some of them.");
    const name = telling[Math.floor(Math.random() * telling.length)];
    return change(
      name,
      "Some numbers of the backward pass are wrong now. Compare with central differences: which fault is it?",
    );
  }
  function compare() {
    const wrong = differing(current(), fault);
    const list = wrong
      .map(([name, ours, theirs]) => `${name} is ${shown(ours)}, should be ${shown(theirs)}`)
      .join("; ");
    said.textContent = wrong.length ? `Differ: ${list}.` : "Every gradient agrees with central differences.";
  }
  function check() {
    const right = guess.value === fault;
    said.textContent =
      fault === "none"
        ? "There is no fault; put one in."
        : right
          ? "Right: that is the fault."
          : "No, it is another one.";
  }
  return html(
    "div",
    { class: "row" },
    button("Put in a fault", spoil),
    button("Compare with central differences", compare),
    html("label", { for: "guess" }, "Which fault is it?"),
    guess,
    button("Check", check),
    button("Take it out", () => change("none", "The backward pass is right again.")),
  );
}
