// The moments of one training step of a small network: each computes one number, with its formula and its cell.

export const shown = (v) => (Math.abs(v) < 5e-5 && v !== 0 ? v.toExponential(2) : v.toFixed(4));
const factor = (v) => (v < 0 ? `(${shown(v)})` : shown(v));
const products = (left, right) => left.map((v, i) => `${factor(v)} · ${factor(right[i])}`).join(" + ");

// Names contain their layer: z2.1 is the first z of layer 2. The input of layer 1 is x, that of layer 2 is a1.
export function moments(network, forward, backward) {
  const found = [],
    last = network.layers.length - 1,
    { activation, label } = network;
  const input = (k) => (k ? `a${k}` : "x");
  network.layers.forEach(({ W, b }, k) => {
    const { x, z, a } = forward.layers[k],
      n = k + 1,
      way = "forward";
    b.forEach((bias, j) => {
      const terms = products(
        x,
        W.map((row) => row[j]),
      );
      found.push({
        layer: k,
        unit: j,
        way,
        cell: "z",
        source: "Dense",
        formula: `z${n} = ${input(k)} W${n} + b${n}`,
        text: `z${n}.${j + 1} = ${terms} + ${factor(bias)} = ${shown(z[j])}`,
      });
      if (k < last) {
        found.push({
          layer: k,
          unit: j,
          way,
          cell: "a",
          source: activation === "relu" ? "ReLU" : "Tanh",
          formula: `a${n} = ${activation}(z${n})`,
          text: `a${n}.${j + 1} = ${activation}(${shown(z[j])}) = ${shown(a[j])}`,
        });
      }
    });
    if (k < last) return;
    const total = z.map((v) => `e^${factor(v)}`).join(" + ");
    a.forEach((p, j) =>
      found.push({
        layer: k,
        unit: j,
        way,
        cell: "p",
        source: "softmax",
        formula: `p = softmax(z${n})`,
        text: `p${j + 1} = e^${factor(z[j])} / (${total}) = ${shown(p)}`,
      }),
    );
  });
  found.push({
    layer: last,
    unit: label,
    way: "forward",
    cell: "loss",
    source: "loss",
    formula: "L = -log p of the right class",
    text: `L = -log p${label + 1} = -log ${shown(forward.layers[last].a[label])} = ${shown(forward.loss)}`,
  });
  for (let k = last; k >= 0; k--) {
    const { x, z } = forward.layers[k],
      { dz, dW, db } = backward.layers[k],
      n = k + 1,
      way = "backward";
    const above = k === last ? null : { dz: backward.layers[k + 1].dz, W: network.layers[k + 1].W };
    dz.forEach((d, j) => {
      const slope = above && (activation === "relu" ? Number(z[j] > 0) : 1 - Math.tanh(z[j]) ** 2);
      const text = above
        ? `dz${n}.${j + 1} = (${products(above.dz, above.W[j])}) · ${activation}'(${shown(z[j])}) [which is ${Number(slope.toFixed(4))}] = ${shown(d)}`
        : `dz${n}.${j + 1} = p${j + 1} - y${j + 1} = ${shown(forward.layers[k].a[j])} - ${Number(j === label)} = ${shown(d)}`;
      found.push({
        layer: k,
        unit: j,
        way,
        cell: "dz",
        source: above ? "Dense backward" : "loss",
        text,
        formula: above ? `dz${n} = (dz${n + 1} W${n + 1}ᵀ) ${activation}'(z${n})` : `dz${n} = p - y`,
      });
      x.forEach((v, i) =>
        found.push({
          layer: k,
          unit: j,
          input: i,
          way,
          cell: "dW",
          source: "Dense backward",
          formula: `dW${n} = ${input(k)} dz${n}`,
          text: `dW${n}.${i + 1}${j + 1} = ${input(k)}.${i + 1} · dz${n}.${j + 1} = ${factor(v)} · ${factor(d)} = ${shown(dW[i][j])}`,
        }),
      );
      found.push({
        layer: k,
        unit: j,
        way,
        cell: "db",
        source: "Dense backward",
        formula: `db${n} = dz${n}`,
        text: `db${n}.${j + 1} = dz${n}.${j + 1} = ${shown(db[j])}`,
      });
    });
  }
  found.push({
    layer: -1,
    way: "backward",
    cell: "update",
    source: "sgd",
    formula: "w = w - rate dw",
    text: `w = w - ${network.rate} dw for every weight: press Update to do it`,
  });
  return found;
}
