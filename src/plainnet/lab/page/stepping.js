// Step: a network small enough to print; every number of a step, cell by cell, forwards and back.

import { html, svg } from "./chart.js";
import { FAULTS, backwardPass, centralDifference, forwardPass, updated } from "./step.js";

const SIZES = { "2-2-2": [2, 2, 2], "2-3-2": [2, 3, 2], "3-3-3": [3, 3, 3], "4-3-2": [4, 3, 2] };
const shown = (v) => (Math.abs(v) < 5e-5 && v !== 0 ? v.toExponential(2) : v.toFixed(4));

// The same weights each time: a sequence that looks random.
function begun(sizes) {
  let seed = 7;
  const next = () => { seed = (seed * 16807) % 2147483647; return Number((seed / 1073741823.5 - 1).toFixed(2)); };
  return {
    layers: sizes.slice(1).map((units, k) => ({ W: Array.from({ length: sizes[k] }, () => Array.from({ length: units }, next)), b: new Array(units).fill(0) })),
    activation: "relu", x: sizes[0] ? Array.from({ length: sizes[0] }, (_, i) => [1, -0.5, 0.75, 0.25][i]) : [], label: 0, rate: 0.5,
  };
}

export function step(main, about, address) {
  let sizes = address.get("net") in SIZES ? address.get("net") : "2-3-2", network = begun(SIZES[sizes]), at = Number(address.get("at")) || 0;
  let fault = "none", hidden = false;
  const stage = html("section", { class: "card whole", "aria-label": "Network" }), tables = html("section", { class: "card whole", "aria-label": "Numbers" });
  const controls = html("section", { class: "card whole", "aria-label": "Controls" }), said = html("p", { "aria-live": "polite" });

  // The moments of a step, each with the formula and the cells that it lights.
  function moments(forward, backward) {
    const found = [], last = network.layers.length - 1;
    network.layers.forEach(({ W, b }, k) => {
      const { x, z, a } = forward.layers[k];
      b.forEach((bias, j) => {
        found.push({ layer: k, unit: j, way: "forward", cell: "z", text: `z${j + 1} = ${x.map((v, i) => `${shown(v)} · ${shown(W[i][j])}`).join(" + ")} + ${shown(bias)} = ${shown(z[j])}`, formula: "z = x W + b" });
        if (k < last) found.push({ layer: k, unit: j, way: "forward", cell: "a", text: `a${j + 1} = ${network.activation}(${shown(z[j])}) = ${shown(a[j])}`, formula: `a = ${network.activation}(z)` });
      });
      if (k === last) a.forEach((p, j) => found.push({ layer: k, unit: j, way: "forward", cell: "a", text: `p${j + 1} = e^${shown(z[j])} / (${z.map((v) => `e^${shown(v)}`).join(" + ")}) = ${shown(p)}`, formula: "p = softmax(z)" }));
    });
    found.push({ layer: last, unit: network.label, way: "forward", cell: "loss", text: `L = -log ${shown(forward.layers[last].a[network.label])} = ${shown(forward.loss)}`, formula: "L = -log p[label]" });
    for (let k = last; k >= 0; k--) {
      const { x } = forward.layers[k], { dz, dW, db } = backward.layers[k];
      dz.forEach((d, j) => {
        const from = k === last ? `p${j + 1} - ${j === network.label ? 1 : 0}` : `(${backward.layers[k + 1].dz.map((v, m) => `${shown(v)} · ${shown(network.layers[k + 1].W[j][m])}`).join(" + ")}) ${network.activation}'(${shown(forward.layers[k].z[j])})`;
        found.push({ layer: k, unit: j, way: "backward", cell: "dz", text: `dz${j + 1} = ${from} = ${shown(d)}`, formula: k === last ? "dz = p - y" : "dz = (dz above · W above) a'(z)" });
        x.forEach((v, i) => found.push({ layer: k, unit: j, input: i, way: "backward", cell: "dW", text: `dW${i + 1}${j + 1} = x${i + 1} dz${j + 1} = ${shown(v)} · ${shown(d)} = ${shown(dW[i][j])}`, formula: "dW = x dz" }));
        found.push({ layer: k, unit: j, way: "backward", cell: "db", text: `db${j + 1} = dz${j + 1} = ${shown(db[j])}`, formula: "db = dz" });
      });
    }
    found.push({ layer: -1, way: "backward", cell: "update", text: `w = w - ${network.rate} dw, for every weight; press Update to do it`, formula: "w = w - rate dw" });
    return found;
  }

  function graph(forward, now) {
    const W = 640, H = 250, counts = [network.x.length, ...network.layers.map(({ b }) => b.length)];
    const px = (k) => 60 + (k * (W - 120)) / (counts.length - 1), py = (k, i) => (H * (i + 1)) / (counts[k] + 1);
    const values = [network.x, ...forward.layers.map(({ a }) => a)], picture = svg("svg", { class: "graph", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `network ${counts.join(" - ")}` });
    counts.slice(1).forEach((units, k) => {
      for (let i = 0; i < counts[k]; i++) for (let j = 0; j < units; j++) {
        const lit = now.layer === k && now.unit === j && (now.cell === "z" || (now.cell === "dW" && now.input === i));
        picture.append(svg("line", { x1: px(k), y1: py(k, i), x2: px(k + 1), y2: py(k + 1, j), class: lit ? `lit ${now.way}` : "" }));
      }
    });
    counts.forEach((units, k) => {
      for (let i = 0; i < units; i++) {
        picture.append(svg("circle", { cx: px(k), cy: py(k, i), r: 24, class: now.layer === k - 1 && now.unit === i ? `lit ${now.way}` : "" }),
          svg("text", { x: px(k), y: py(k, i) + 4, "text-anchor": "middle" }, shown(values[k][i])));
      }
    });
    return picture;
  }

  function cells(name, rows, lit, edit) {
    const table = html("table", { class: "cells" });
    rows.forEach((row, i) => table.append(html("tr", {}, i ? html("td") : html("th", { scope: "row" }, name), ...row.map((v, j) => {
      const cell = html("td", { class: lit(i, j) ? "lit" : "" });
      if (edit) {
        const input = html("input", { type: "number", step: 0.05, value: Number(v.toFixed(6)), "aria-label": `${name}, row ${i + 1}, column ${j + 1}` });
        input.addEventListener("change", () => { if (Number.isFinite(input.valueAsNumber)) { edit(i, j, input.valueAsNumber); show(); } });
        cell.append(input);
      } else cell.append(shown(v));
      return cell;
    }))));
    return html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": name }, table);
  }

  function show() {
    const forward = forwardPass(network), backward = backwardPass(network, forward, fault), all = moments(forward, backward);
    at = Math.min(Math.max(at, 0), all.length - 1);
    address.set({ at: at || null, net: sizes });
    const now = all[at], here = (k, ...names) => now.layer === k && names.includes(now.cell);
    stage.replaceChildren(html("h2", {}, `${now.way === "forward" ? "Forward" : "Backward"}: moment ${at + 1} of ${all.length}`), graph(forward, now),
      html("p", {}, html("b", {}, now.formula), ` (layer ${now.layer + 1})`), html("p", { "aria-live": "polite" }, now.text));
    tables.replaceChildren(html("h2", {}, `Loss ${shown(forward.loss)}`), cells("x", [network.x], () => false, (i, j, v) => { network.x[j] = v; }));
    const side = html("div", { class: "side" });
    tables.append(side);
    network.layers.forEach((layer, k) => {
      const [f, b] = [forward.layers[k], backward.layers[k]];
      side.append(html("div", {}, html("h3", {}, `Layer ${k + 1}: ${layer.W.length} inputs, ${layer.b.length} units`),
        cells("W", layer.W, (i, j) => here(k, "z", "dW") && now.unit === j, (i, j, v) => { layer.W[i][j] = v; }),
        cells("b", [layer.b], (i, j) => here(k, "z") && now.unit === j, (i, j, v) => { layer.b[j] = v; }),
        cells("z", [f.z], (i, j) => here(k, "z") && now.unit === j), cells(k === network.layers.length - 1 ? "p" : "a", [f.a], (i, j) => here(k, "a", "loss") && now.unit === j),
        cells("dz", [b.dz], (i, j) => here(k, "dz") && now.unit === j), cells("dW", b.dW, (i, j) => here(k, "dW") && now.unit === j && now.input === i), cells("db", [b.db], (i, j) => here(k, "db") && now.unit === j)));
    });
  }

  const button = (text, does) => { const made = html("button", { type: "button" }, text); made.addEventListener("click", does); return made; };
  const net = html("select", { id: "net" }, ...Object.keys(SIZES).map((name) => html("option", {}, name)));
  net.value = sizes;
  net.addEventListener("change", () => { sizes = net.value; network = begun(SIZES[sizes]); at = 0; show(); });
  const activation = html("select", { id: "activation" }, html("option", {}, "relu"), html("option", {}, "tanh"));
  activation.addEventListener("change", () => { network.activation = activation.value; show(); });
  const guess = html("select", { id: "guess" }, ...Object.entries(FAULTS).map(([name, { says }]) => html("option", { value: name }, says)));
  controls.append(html("h2", {}, "Step through one update"),
    html("div", { class: "row" }, button("First", () => { at = 0; show(); }), button("Back", () => { at--; show(); }), button("Next", () => { at++; show(); }),
      button("Update", () => { network.layers = updated(network, backwardPass(network, forwardPass(network), fault)); at = 0; show(); }),
      button("Reset", () => { network = begun(SIZES[sizes]); network.activation = activation.value; at = 0; show(); }),
      html("label", { for: "net" }, "Network"), net, html("label", { for: "activation" }, "Activation"), activation),
    html("div", { class: "row" }, button("Put in a fault", () => { const names = Object.keys(FAULTS).slice(1); fault = names[Math.floor(Math.random() * names.length)]; hidden = true; said.textContent = "One number or more of the backward pass is wrong now. Which fault is it? Compare with central differences."; show(); }),
      button("Compare with central differences", () => {
        const forward = forwardPass(network), backward = backwardPass(network, forward, fault);
        const wrong = network.layers.flatMap((layer, k) => [...layer.W.flatMap((row, i) => row.map((_, j) => [`dW${i + 1}${j + 1}`, backward.layers[k].dW[i][j], centralDifference(network, k, i, j), k])),
          ...layer.b.map((_, j) => [`db${j + 1}`, backward.layers[k].db[j], centralDifference(network, k, null, j), k])]).filter(([, ours, theirs]) => Math.abs(ours - theirs) > 1e-6 * Math.max(1, Math.abs(theirs)));
        said.textContent = wrong.length ? `Differ: ${wrong.map(([name, ours, theirs, k]) => `${name} of layer ${k + 1} is ${shown(ours)}, should be ${shown(theirs)}`).join("; ")}.` : "Every gradient agrees with central differences.";
      }),
      html("label", { for: "guess" }, "It is"), guess, button("Check", () => { said.textContent = guess.value === fault ? "Right: that is the fault." : hidden ? "No, it is another one." : "There is no fault; put one in."; }),
      button("Take it out", () => { fault = "none"; hidden = false; said.textContent = "The backward pass is right again."; show(); })), said);
  main.append(controls, stage, tables);
  show();
}
