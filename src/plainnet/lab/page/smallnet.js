// The small networks of Step: their initial weights, and their numbers in the address.

export const SIZES = { "2-2-2": [2, 2, 2], "2-3-2": [2, 3, 2], "3-3-3": [3, 3, 3], "4-3-2": [4, 3, 2] };

// Initial weights that look random, but are the same each time.
export function begun(sizes) {
  let seed = 7;
  const next = () => {
    seed = (seed * 16807) % 2147483647;
    return Number((seed / 1073741823.5 - 1).toFixed(2));
  };
  const matrix = (rows, columns) => Array.from({ length: rows }, () => Array.from({ length: columns }, next));
  const layers = sizes.slice(1).map((units, k) => ({ W: matrix(sizes[k], units), b: new Array(units).fill(0) }));
  return { layers, activation: "relu", x: [1, -0.5, 0.75, 0.25].slice(0, sizes[0]), label: 0, rate: 0.5 };
}

// The places of its numbers, in the order of the address: inputs, then weights and biases of each layer.
function* places({ x, layers }) {
  for (let i = 0; i < x.length; i++) yield [x, i];
  for (const { W, b } of layers) {
    for (const row of W) for (let j = 0; j < row.length; j++) yield [row, j];
    for (let j = 0; j < b.length; j++) yield [b, j];
  }
}

export const written = (network) => [...places(network)].map(([list, i]) => Number(list[i].toPrecision(12))).join("_");

export function readInto(network, text) {
  const values = text.split("_").map(Number),
    all = [...places(network)];
  const fits = values.length === all.length && values.every((v) => Math.abs(v) <= 1000);
  if (fits)
    all.forEach(([list, i], k) => {
      list[i] = values[k];
    });
}
