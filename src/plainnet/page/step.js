// One training step of a small network, number by number: forward pass, loss, backward pass, update. All numbers have
// 64 bits, as in NumPy; products are summed in the order of the formulas.
//
// A network is { layers: [{ W, b }], activation, x, label, rate }; W is (inputs, units), activation "relu" or "tanh".

const ACTIVATIONS = {
  relu: { of: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  tanh: { of: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
};

// What each fault does to the backward pass: it changes the right gradients of a layer to wrong ones.
export const FAULTS = {
  none: { says: "no fault", spoil: (g) => g },
  "rows reversed": { says: "the rows of dW are in reverse order", spoil: (g) => ({ ...g, dW: [...g.dW].reverse() }) },
  "no activation": { says: "the derivative of the activation is missing", open: true },
  "sign of db": { says: "db has the wrong sign", spoil: (g) => ({ ...g, db: g.db.map((v) => -v) }) },
  "no label": { says: "the gradient of the loss is p instead of p - y", label: false },
  doubled: {
    says: "dW is twice the right value",
    spoil: (g) => ({ ...g, dW: g.dW.map((row) => row.map((v) => 2 * v)) }),
  },
};

export function softmax(z) {
  const most = Math.max(...z),
    e = z.map((v) => Math.exp(v - most)),
    total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

// z = x W + b, a = activation(z), layer by layer; in the last layer a = softmax(z). Loss: -log a[label].
export function forwardPass({ layers, activation, x, label }) {
  const found = [];
  let a = x;
  layers.forEach(({ W, b }, k) => {
    const z = b.map((bias, j) => a.reduce((sum, v, i) => sum + v * W[i][j], 0) + bias);
    const last = k === layers.length - 1,
      out = last ? softmax(z) : z.map(ACTIVATIONS[activation].of);
    found.push({ x: a, z, a: out });
    a = out;
  });
  return { layers: found, loss: -Math.log(Math.max(a[label], 1e-300)) };
}

// dz = a - y in the last layer; dW = x dz, db = dz, dx = dz W; in the layer below dz = dx activation'(z).
export function backwardPass(network, forward, fault = "none") {
  const { layers, activation, label } = network,
    { spoil = (g) => g, open = false, label: uses = true } = FAULTS[fault];
  const found = new Array(layers.length);
  const { a } = forward.layers[layers.length - 1];
  let dz = a.map((p, j) => p - (uses && j === label ? 1 : 0));
  for (let k = layers.length - 1; k >= 0; k--) {
    const { x } = forward.layers[k],
      { W } = layers[k];
    const right = { dz, dW: x.map((v) => dz.map((d) => v * d)), db: [...dz] };
    const dx = x.map((_, i) => dz.reduce((sum, d, j) => sum + d * W[i][j], 0));
    found[k] = { ...spoil(right), dx };
    if (k > 0) dz = dx.map((d, i) => (open ? d : d * ACTIVATIONS[activation].slope(forward.layers[k - 1].z[i])));
  }
  return { layers: found };
}

// w = w - rate dw
export function updated({ layers, rate }, backward) {
  return layers.map(({ W, b }, k) => ({
    W: W.map((row, i) => row.map((w, j) => w - rate * backward.layers[k].dW[i][j])),
    b: b.map((w, j) => w - rate * backward.layers[k].db[j]),
  }));
}

// (L(w + h) - L(w - h)) / 2h for one weight: the right gradient, computed without a backward pass.
export function centralDifference(network, k, i, j, h = 1e-6) {
  const loss = (by) => {
    const layers = network.layers.map(({ W, b }) => ({ W: W.map((row) => [...row]), b: [...b] }));
    if (i === null) layers[k].b[j] += by;
    else layers[k].W[i][j] += by;
    return forwardPass({ ...network, layers }).loss;
  };
  return (loss(h) - loss(-h)) / (2 * h);
}
