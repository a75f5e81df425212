// The answers of a trained network: one forward pass, layer by layer, with the weights that plainnet learned.
//
// `load` takes the table that `plainnet/export/js_program.py` writes; `answers` returns the probabilities of an example.
// Activations are { shape, data }: data in row-major order, with channels or units on the last axis.

const map = (f) => (x) => ({ shape: x.shape, data: x.data.map(f) });
const logistic = (v) => (1 + Math.tanh(v / 2)) / 2;
const channels = (x) => (x.shape.length === 3 ? x.shape[2] : 1);

// One function per type of layer: (activations, layer) -> activations.
const LAYERS = {
  Dense(x, { W, b }) {
    const y = b.data.slice(),
      units = y.length;
    x.data.forEach((value, i) => {
      if (value !== 0) for (let j = 0; j < units; j++) y[j] += value * W.data[i * units + j];
    });
    return { shape: [units], data: y };
  },

  Conv2D(x, { W, b, stride, around }) {
    const [height, width] = x.shape,
      [K, , C, F] = W.shape,
      [above, below, left, right] = around;
    const rows = Math.floor((height + above + below - K) / stride) + 1;
    const columns = Math.floor((width + left + right - K) / stride) + 1;
    const y = new Float32Array(rows * columns * F);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const sum = y.subarray((row * columns + column) * F, (row * columns + column + 1) * F);
        sum.set(b.data);
        for (let i = 0; i < K; i++) {
          const from = row * stride + i - above;
          if (from < 0 || from >= height) continue;
          for (let j = 0; j < K; j++) {
            const at = column * stride + j - left;
            if (at < 0 || at >= width) continue;
            for (let c = 0; c < C; c++) {
              const value = x.data[(from * width + at) * C + c],
                w = ((i * K + j) * C + c) * F;
              if (value !== 0) for (let f = 0; f < F; f++) sum[f] += value * W.data[w + f];
            }
          }
        }
      }
    }
    return { shape: [rows, columns, F], data: y };
  },

  MaxPool: (x, { size }) => pooled(x, size, (values) => Math.max(...values)),
  AveragePool: (x, { size }) => pooled(x, size, mean),

  GlobalAveragePool(x) {
    const C = channels(x),
      data = new Float32Array(C);
    for (let c = 0; c < C; c++) data[c] = mean(x.data.filter((_, i) => i % C === c));
    return { shape: [C], data };
  },

  // Batch normalization with its running averages.
  Scale: (x, { factor, shift }) => ({
    shape: x.shape,
    data: x.data.map((v, i) => v * factor.data[i % factor.data.length] + shift.data[i % shift.data.length]),
  }),

  Standardize: (x, { mean: m, deviation: d, inverse }) => ({
    shape: x.shape,
    data: x.data.map((v, i) => {
      const middle = m.data[i % m.data.length],
        unit = d.data[i % d.data.length];
      return inverse ? v * unit + middle : (v - middle) / unit;
    }),
  }),

  LayerNorm(x, { gamma, beta, epsilon }) {
    const width = gamma.data.length,
      data = new Float32Array(x.data.length);
    for (let start = 0; start < data.length; start += width) {
      const part = Array.from(x.data.subarray(start, start + width)),
        middle = mean(part);
      const unit = Math.sqrt(mean(part.map((v) => (v - middle) ** 2)) + epsilon);
      part.forEach((v, i) => {
        data[start + i] = ((v - middle) / unit) * gamma.data[i] + beta.data[i];
      });
    }
    return { shape: x.shape, data };
  },

  // Move each row sideways by slant * (row - middle), so that what is bright stands upright.
  Deskew(x) {
    const [height, width] = x.shape,
      C = channels(x);
    const weight = new Float32Array(height * width);
    x.data.forEach((v, i) => (weight[Math.floor(i / C)] += v));
    const total = (of) => weight.reduce((sum, v, i) => sum + Math.max(v, 0) * of(Math.floor(i / width), i % width), 0);
    const one = () => 1,
      m = Math.max(total(one), 1e-30);
    const middle = total((r) => r) / m;
    const variance = total((r) => (r - middle) ** 2) / m,
      covariance = total((r, k) => (r - middle) * k) / m;
    const slant = Math.min(Math.max(covariance / Math.max(variance, 1e-9), -1), 1);
    const data = x.data.map((_, i) => {
      const row = Math.floor(i / (width * C)),
        place = (Math.floor(i / C) % width) + slant * (row - middle),
        left = Math.floor(place);
      const at = (k) => (k >= 0 && k < width ? x.data[(row * width + k) * C + (i % C)] : 0);
      return at(left) + (place - left) * (at(left + 1) - at(left));
    });
    return { shape: x.shape, data };
  },

  // Center the image, and bring it nearer to a usual height and width.
  NormalizeSize(x, { spread, strength }) {
    const [height, width] = x.shape,
      C = channels(x);
    const inRows = new Float32Array(height),
      inColumns = new Float32Array(width);
    for (let i = 0; i < height * width; i++) {
      const weight = Math.max(
        0,
        x.data.subarray(i * C, (i + 1) * C).reduce((sum, v) => sum + v, 0),
      );
      inRows[Math.floor(i / width)] += weight;
      inColumns[i % width] += weight;
    }
    const places = (weights) => {
      const total = (of) => weights.reduce((sum, weight, i) => sum + weight * of(i), 0);
      const m = Math.max(
          total(() => 1),
          1e-30,
        ),
        middle = total((i) => i) / m;
      const variance = Math.max(total((i) => (i - middle) ** 2) / m, 1e-12);
      const factor = ((spread * weights.length) / Math.sqrt(variance)) ** strength;
      const limited = Math.min(Math.max(factor, 0.5), 2);
      return Array.from(weights, (_, i) => middle + (i - (weights.length - 1) / 2) / limited);
    };
    const down = places(inRows),
      right = places(inColumns);
    const data = x.data.map((_, i) => {
      const r = down[Math.floor(i / (width * C))],
        k = right[Math.floor(i / C) % width];
      let sum = 0;
      for (let row = Math.max(0, Math.floor(r)); row <= Math.min(height - 1, Math.floor(r) + 1); row++)
        for (let column = Math.max(0, Math.floor(k)); column <= Math.min(width - 1, Math.floor(k) + 1); column++)
          sum += (1 - Math.abs(r - row)) * (1 - Math.abs(k - column)) * x.data[(row * width + column) * C + (i % C)];
      return sum;
    });
    return { shape: x.shape, data };
  },

  Flatten: (x) => ({ shape: [x.data.length], data: x.data }),
  ReLU: map((v) => Math.max(v, 0)),
  LeakyReLU: (x, { slope }) => map((v) => (v > 0 ? v : slope * v))(x),
  Sigmoid: map(logistic),
  Tanh: map(Math.tanh),
  SiLU: map((v) => v * logistic(v)),
  GELU: map((v) => (v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))) / 2),

  Sequential: (x, { layers }) => layers.reduce(forward, x),
  Residual(x, { layers }) {
    const y = layers.reduce(forward, x);
    return { shape: y.shape, data: y.data.map((v, i) => v + x.data[i]) };
  },
  Ensemble(x, { members }) {
    const logs = members.map((layers) => logSoftmax(layers.reduce(forward, x).data));
    return { shape: [logs[0].length], data: logs[0].map((_, k) => mean(logs.map((of) => of[k]))) };
  },
};

function forward(x, layer) {
  return LAYERS[layer.type](x, layer);
}

function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

// The maximum or the mean of every square of size x size pixels.
function pooled(x, size, how) {
  const [height, width] = x.shape,
    C = channels(x);
  const rows = Math.floor(height / size),
    columns = Math.floor(width / size);
  const y = new Float32Array(rows * columns * C),
    square = new Array(size * size);
  for (let i = 0; i < y.length; i++) {
    const c = i % C,
      column = Math.floor(i / C) % columns,
      row = Math.floor(i / C / columns);
    for (let k = 0; k < square.length; k++) {
      const from = row * size + Math.floor(k / size),
        at = column * size + (k % size);
      square[k] = x.data[(from * width + at) * C + c];
    }
    y[i] = how(square);
  }
  return { shape: [rows, columns, C], data: y };
}

function logSoftmax(logits) {
  const most = Math.max(...logits),
    shifted = Array.from(logits, (v) => v - most);
  const total = Math.log(shifted.reduce((sum, v) => sum + Math.exp(v), 0));
  return shifted.map((v) => v - total);
}

// Replace each reference to weights in a model's table by an array, read from one text that holds all weights.
export function load(table) {
  const bytes = Uint8Array.from(atob(table.weights), (letter) => letter.charCodeAt(0));
  const all = new Float32Array(bytes.buffer);
  const found = (value) => {
    if (Array.isArray(value)) return value.map(found);
    if (value === null || typeof value !== "object") return value;
    if ("start" in value) {
      const size = value.shape.reduce((a, b) => a * b, 1);
      return { shape: value.shape, data: all.subarray(value.start, value.start + size) };
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, found(part)]));
  };
  return { ...table, layers: found(table.layers) };
}

// The outputs of the last layer for one example, an array of numbers. Bytes are divided by 255.
export function outputs(model, inputs) {
  const data = Float32Array.from(inputs, model.bytes ? (v) => v / 255 : (v) => v);
  return Array.from(model.layers.reduce(forward, { shape: model.shape, data }).data);
}

// The image shifted by some pixels; the new pixels are 0.
export function moved(model, image, down, right) {
  const [height, width] = model.shape,
    shifted = new Array(image.length).fill(0);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = row + down,
        at = column + right;
      if (from >= 0 && from < height && at >= 0 && at < width) shifted[row * width + column] = image[from * width + at];
    }
  }
  return shifted;
}

// The probability of every class, or of every label separately, or the predicted numbers, for one example.
export function answers(model, inputs, shifts = model.shifts) {
  const logits = (x) => {
    const found = outputs(model, x).map((v) => v / model.temperature);
    return model.kind === "classes" && found.length === 1 ? [0, found[0]] : found;
  };
  if (model.kind === "numbers") return outputs(model, inputs);
  if (model.kind === "labels") return logits(inputs).map(logistic);
  let logs = null,
    views = 0;
  for (let down = -shifts; down <= shifts; down++) {
    for (let right = -shifts; right <= shifts; right++, views++) {
      const of = logSoftmax(logits(shifts ? moved(model, inputs, down, right) : inputs));
      logs = logs ? logs.map((v, k) => v + of[k]) : of;
    }
  }
  return logSoftmax(logs.map((v) => v / views)).map(Math.exp);
}
