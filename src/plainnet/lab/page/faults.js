// Faults in the backward pass of a small network: insert one, find it with central differences, name it, remove it.

import { button, html } from "./dom.js";
import { shown } from "./moments.js";
import { FAULTS, backwardPass, centralDifference, forwardPass } from "./step.js";

// The gradients that differ from central differences: name, value, right value
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

// A fault by its number, which stands in the address: unlike the name, it does not give the answer away.
export const numbered = (number) => Object.keys(FAULTS)[Number(number)] ?? "none";
export const numberOf = (fault) => Object.keys(FAULTS).indexOf(fault);

// A row of controls. `current` returns the network, `fault` is the one inserted now, `put` inserts another by name,
// `said` shows the outcome.
export function faultRow(current, fault, put, said) {
  const options = Object.entries(FAULTS).map(([name, { says }]) => html("option", { value: name }, says));
  const guess = html("select", { id: "guess" }, ...options);
  const change = (name, sentence) => {
    fault = name;
    put(name);
    said.textContent = sentence;
  };

  function spoil() {
    const telling = Object.keys(FAULTS).filter((name) => differing(current(), name).length);
    if (!telling.length)
      return change("none", "No fault would change these numbers. Change some inputs or weights first.");
    const name = telling[Math.floor(Math.random() * telling.length)];
    return change(
      name,
      "Some numbers of the backward pass are now wrong. Compare them with central differences: which fault is it?",
    );
  }
  function compare() {
    const wrong = differing(current(), fault);
    const list = wrong
      .map(([name, ours, theirs]) => `${name} is ${shown(ours)}, but should be ${shown(theirs)}`)
      .join("; ");
    said.textContent = wrong.length ? `These differ: ${list}.` : "Every gradient agrees with central differences.";
  }
  function check() {
    const right = guess.value === fault;
    said.textContent =
      fault === "none"
        ? "There is no fault; insert one first."
        : right
          ? "Right: that is the fault."
          : "No, it is a different fault.";
  }
  return html(
    "div",
    { class: "row" },
    button("Insert a fault", spoil),
    button("Compare with central differences", compare),
    html("label", { for: "guess" }, "Which fault is it?"),
    guess,
    button("Check", check),
    button("Remove the fault", () => change("none", "The backward pass is right again.")),
  );
}
