// Step: every number of one training step of a small network, cell by cell, forward and backward.

import { button, html } from "./dom.js";
import { explained } from "./explain.js";
import { faultRow, numberOf, numbered } from "./faults.js";
import { graph } from "./graph.js";
import { moments, shown } from "./moments.js";
import { SIZES, begun, readInto, written } from "./smallnet.js";
import { backwardPass, forwardPass, updated } from "./step.js";
import { unitStep } from "./unitstep.js";
import { tell } from "./wire.js";

export function step(main, about, address) {
  const net = html(
    "select",
    { id: "net" },
    ...Object.keys(SIZES).map((name) => html("option", {}, name)),
    about ? html("option", { value: "real" }, "the lab's network") : "",
  );
  net.addEventListener("change", () => {
    address.set({ at: null, values: null, layer: null, unit: null, label: null, fault: null, net: net.value });
    main.replaceChildren();
    step(main, about, address);
  });
  const named = [html("label", { for: "net" }, "Network"), net];
  if (address.get("net") === "real") {
    net.value = "real";
    unitStep(main, about, address, named);
  } else {
    small(main, address, named, net);
  }
}

function small(main, address, named, net) {
  const sizes = address.get("net") in SIZES ? address.get("net") : "2-3-2",
    first = begun(SIZES[sizes]);
  let network = begun(SIZES[sizes]),
    at = Number(address.get("at")) || 0;
  let fault = numbered(address.get("fault")),
    before = new Map(),
    edited = false,
    all = [];
  net.value = sizes;
  if (address.get("activation") === "tanh") network.activation = "tanh";
  network.label = Math.min(Number(address.get("label")) || 0, SIZES[sizes].at(-1) - 1);
  if (Number(address.get("rate")) > 0) network.rate = Math.min(10, Number(address.get("rate")));
  if (address.get("values")) readInto(network, address.get("values"));
  const stage = html("section", { class: "card whole", "aria-label": "Network" });
  const tables = html("section", { class: "card whole", "aria-label": "Numbers" }),
    said = html("p", { "aria-live": "polite" });
  const everything = html("input", { type: "checkbox", id: "everything" });
  everything.checked = address.get("all") === "1";
  everything.addEventListener("change", () => show());

  // The tables: the numbers computed so far, or all of them if the box is checked

  const moment = (name, layer, j, i) =>
    all.findIndex(
      (one) => one.layer === layer && one.cell === name && one.unit === j && (name !== "dW" || one.input === i),
    );
  const known = (name, layer, j, i) => everything.checked || moment(name, layer, j, i) <= at;

  function cells(name, layer, rows, edit) {
    const now = all[at],
      table = html("table", { class: "cells" });
    rows.forEach((row, i) =>
      table.append(
        html(
          "tr",
          {},
          html(i ? "td" : "th", i ? { class: "lead" } : { scope: "row" }, i ? "" : name),
          ...row.map((v, j) =>
            edit ? editable(name, layer, v, i, j, edit, now) : computed(name, layer, v, i, j, now),
          ),
        ),
      ),
    );
    return html(
      "div",
      { class: "scroll", tabindex: 0, role: "group", "aria-label": layer < 0 ? name : `${name} of layer ${layer + 1}` },
      table,
    );
  }

  function editable(name, layer, v, i, j, edit, now) {
    const used =
      now.layer === layer && now.unit === j && (name === "W" ? ["z", "dW"].includes(now.cell) : now.cell === "z");
    const input = html("input", {
      type: "number",
      step: 0.05,
      value: Number(v.toFixed(6)),
      "aria-label": `${name}, row ${i + 1}, column ${j + 1}`,
    });
    input.addEventListener("change", () => {
      const fits = Math.abs(input.valueAsNumber) <= 1000;
      tell(fits ? "" : `the number must be between -1000 and 1000; it is still ${Number(v.toFixed(6))}`);
      if (fits) {
        edit(i, j, input.valueAsNumber);
        change();
      } else {
        input.value = Number(v.toFixed(6));
      }
    });
    return html("td", { class: used ? "lit" : "" }, input);
  }

  function computed(name, layer, v, i, j, now) {
    if (!known(name, layer, j, i)) return html("td", { class: "soft" }, "·");
    const key = `${name}${layer}.${i}.${j}`,
      old = before.get(key),
      changed = edited && old !== undefined && old !== shown(v);
    const lit =
      now.layer === layer &&
      now.unit === j &&
      (now.cell === name || (now.cell === "loss" && name === "p")) &&
      (name !== "dW" || now.input === i);
    before.set(key, shown(v));
    return html(
      "td",
      { class: `${lit ? `lit ${now.way}` : ""} ${changed ? "changed" : ""}` },
      button(
        shown(v),
        () => {
          at = moment(name, layer, j, i);
          show();
        },
        { class: "number", title: changed ? `It was ${old}; show how it is computed` : "Show how it is computed" },
      ),
    );
  }

  function show() {
    const forward = forwardPass(network),
      backward = backwardPass(network, forward, fault),
      last = network.layers.length - 1;
    all = moments(network, forward, backward);
    at = Math.min(Math.max(at, 0), all.length - 1);
    const now = all[at],
      values = written(network);
    address.set({
      at: at || null,
      net: sizes,
      all: everything.checked ? "1" : null,
      activation: network.activation === "tanh" ? "tanh" : null,
      label: network.label || null,
      rate: network.rate === first.rate ? null : network.rate,
      values: values === written(first) ? null : values,
      fault: numberOf(fault) || null,
    });
    stage.replaceChildren(
      html("h2", {}, `${now.way === "forward" ? "Forward" : "Backward"}: step ${at + 1} of ${all.length}`),
      graph(network, forward, now, known),
      html(
        "p",
        {},
        html("b", {}, now.formula),
        " ",
        explained("source", now.source, () => now.text),
      ),
      html("p", { "aria-live": "polite" }, now.text),
    );
    const loss = everything.checked || all.findIndex((one) => one.cell === "loss") <= at;
    tables.replaceChildren(
      html("h2", {}, loss ? `Loss ${shown(forward.loss)}` : "Loss: not computed yet"),
      html(
        "p",
        { class: "soft" },
        "Change an input or a weight: every number that changes is marked with ▲. Click a number to see how it is computed.",
      ),
      html(
        "div",
        { class: "row" },
        everything,
        html("label", { for: "everything" }, "Also show the numbers computed later"),
      ),
      cells("x", -1, [network.x], (i, j, v) => {
        network.x[j] = v;
      }),
    );
    const side = html("div", { class: "side" });
    network.layers.forEach((layer, k) => {
      const [f, b] = [forward.layers[k], backward.layers[k]];
      side.append(
        html(
          "div",
          {},
          html("h3", {}, `Layer ${k + 1}: ${layer.W.length} inputs, ${layer.b.length} units`),
          cells("W", k, layer.W, (i, j, v) => {
            layer.W[i][j] = v;
          }),
          cells("b", k, [layer.b], (i, j, v) => {
            layer.b[j] = v;
          }),
          cells("z", k, [f.z]),
          cells(k === last ? "p" : "a", k, [f.a]),
          ...(k === last
            ? [
                html(
                  "p",
                  { class: "soft" },
                  `Right class: ${network.label + 1}, y = (${f.a.map((_, j) => Number(j === network.label)).join(", ")})`,
                ),
              ]
            : []),
          cells("dz", k, [b.dz]),
          cells("dW", k, b.dW),
          cells("db", k, [b.db]),
        ),
      );
    });
    tables.append(side);
  }

  // After an edit: mark the numbers that changed.
  function change() {
    edited = true;
    show();
    edited = false;
  }

  // The controls

  const go = (to) => {
    at = to();
    show();
  };
  const activation = html("select", { id: "activation" }, html("option", {}, "relu"), html("option", {}, "tanh"));
  activation.value = network.activation;
  activation.addEventListener("change", () => {
    network.activation = activation.value;
    change();
  });
  const label = html(
    "select",
    { id: "label" },
    ...network.layers.at(-1).b.map((_, k) => html("option", { value: k }, String(k + 1))),
  );
  label.value = network.label;
  label.addEventListener("change", () => {
    network.label = Number(label.value);
    change();
  });
  const rate = html("input", { id: "rate", type: "number", min: 0, max: 10, step: 0.1, value: network.rate });
  rate.addEventListener("change", () => {
    const fits = rate.valueAsNumber >= 0 && rate.valueAsNumber <= 10;
    tell(fits ? "" : `the learning rate must be between 0 and 10; it is still ${network.rate}`);
    if (fits) network.rate = rate.valueAsNumber;
    else rate.value = network.rate;
    show();
  });
  const update = () => {
    network.layers = updated(network, backwardPass(network, forwardPass(network), fault));
    at = 0;
    change();
  };
  const reset = () => {
    network = { ...begun(SIZES[sizes]), activation: network.activation, label: network.label, rate: network.rate };
    at = 0;
    change();
  };

  const spoil = (name) => {
    fault = name;
    show();
  };

  main.append(
    html(
      "section",
      { class: "card whole", "aria-label": "Controls" },
      html("h2", {}, "Step through one update"),
      html(
        "div",
        { class: "row" },
        button("First", () => go(() => 0)),
        button("Back", () => go(() => at - 1)),
        button("Next", () => go(() => at + 1)),
        button("Last", () => go(() => all.length - 1)),
        button("Update", update),
        button("Reset", reset),
      ),
      html(
        "div",
        { class: "row" },
        ...named,
        html("label", { for: "activation" }, "Activation"),
        activation,
        html("label", { for: "label" }, "Right class"),
        label,
        html("label", { for: "rate" }, "Learning rate"),
        rate,
      ),
      faultRow(() => network, fault, spoil, said),
      said,
    ),
    stage,
    tables,
  );
  show();
}
