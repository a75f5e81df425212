// From strokes to the 28x28 image that a network sees, with integer arithmetic. `plainnet/sources/pen/strokes.py` does
// the same in Python and gets the same bytes.
//
// The makers of MNIST scaled each digit to 20x20 pixels and moved its center of mass to the middle of 28x28. This does
// the same: the box around the strokes becomes 20x20 pixels, each the mean of 8x8 samples, and is then centered.

export const BOX = 20,
  SIZE = 28,
  PAPER = 1120; // sizes in pixels; PAPER is the side of the paper in its own units
const SAMPLES = 8,
  ACROSS = BOX * SAMPLES; // the side of a pixel and of the box, in samples
const FINE = 8,
  LEAST = 6; // units from sample to sample; the least radius of the pen, which still covers a sample
const THINNEST = 8,
  THICKEST = 15; // % of the digit's longer side; most strokes in MNIST lie between

const div = (a, b) => Math.floor(a / b);

// The box around the points of all strokes: twice the coordinates of its middle, and its longer side.
function around(strokes) {
  let left = Infinity,
    top = Infinity,
    right = -Infinity,
    bottom = -Infinity;
  for (const stroke of strokes) {
    for (const [x, y] of stroke) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return { x2: left + right, y2: top + bottom, longer: Math.max(right - left, bottom - top) };
}

// Mark which of ACROSS x ACROSS samples the pen covers: those at most half its width away from a line.
export function sampled(strokes, pen) {
  const { x2, y2, longer } = around(strokes),
    whole = longer + pen,
    side = ACROSS * FINE;
  const place = (x, twiceMiddle) => div(side * (2 * x - twiceMiddle + whole) + whole, 2 * whole);
  const radius = Math.max(LEAST, div(side * pen + whole, 2 * whole));
  const under = new Uint8Array(ACROSS * ACROSS);
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [place(x, x2), place(y, y2)]);
    for (let i = 0; i < points.length; i++) {
      line(under, points[Math.max(i - 1, 0)], points[i], radius);
    }
  }
  return under;
}

// Mark the samples within `radius` of the line from a to b.
function line(under, [ax, ay], [bx, by], radius) {
  const dx = bx - ax,
    dy = by - ay,
    long = dx * dx + dy * dy,
    near = radius * radius;
  const first = (v) => Math.max(0, div(v - radius, FINE)),
    last = (v) => Math.min(ACROSS - 1, div(v + radius, FINE));
  for (let row = first(Math.min(ay, by)); row <= last(Math.max(ay, by)); row++) {
    for (let column = first(Math.min(ax, bx)); column <= last(Math.max(ax, bx)); column++) {
      const px = column * FINE + FINE / 2 - ax,
        py = row * FINE + FINE / 2 - ay;
      const along = px * dx + py * dy,
        cross = px * dy - py * dx;
      const inside =
        along <= 0
          ? px * px + py * py <= near
          : along >= long
            ? (px - dx) ** 2 + (py - dy) ** 2 <= near
            : cross * cross <= near * long;
      if (inside) under[row * ACROSS + column] = 1;
    }
  }
}

// The number of samples that the pen covers, and how many of them are on the outline.
function areaAndOutline(under) {
  let area = 0,
    outline = 0;
  const at = (row, column) =>
    row >= 0 && column >= 0 && row < ACROSS && column < ACROSS && under[row * ACROSS + column];
  for (let row = 0; row < ACROSS; row++) {
    for (let column = 0; column < ACROSS; column++) {
      if (!at(row, column)) continue;
      area++;
      if (!(at(row - 1, column) && at(row + 1, column) && at(row, column - 1) && at(row, column + 1))) outline++;
    }
  }
  return { area, outline };
}

// The width of a pen that makes strokes as thick as in MNIST; the pen's own width, if they already are.
// A pen too wide for its digit is made narrower. Lines that are too thin are made wider, unless they fill an area.
export function usualPen(strokes, pen) {
  const { longer } = around(strokes),
    whole = longer + pen;
  if (4 * longer < pen) return pen; // a dot
  if (100 * pen > THICKEST * whole) return Math.max(1, div(THICKEST * longer, 100 - THICKEST));
  const { area, outline } = areaAndOutline(sampled(strokes, pen)),
    unit = ACROSS * outline;
  const thick = 2 * area * whole; // the width of the strokes, times `unit`
  if (100 * thick >= THINNEST * whole * unit) return pen;
  return Math.max(1, div(THINNEST * longer * unit + 100 * (pen * unit - thick), (100 - THINNEST) * unit));
}

// The mean of the samples in each of 20x20 pixels, scaled so that the strongest pixel is 255.
function fitted(under) {
  const counts = new Array(BOX * BOX).fill(0);
  for (let row = 0; row < ACROSS; row++) {
    for (let column = 0; column < ACROSS; column++) {
      counts[div(row, SAMPLES) * BOX + div(column, SAMPLES)] += under[row * ACROSS + column];
    }
  }
  const most = Math.max(1, ...counts);
  return counts.map((count) => div(510 * count + most, 2 * most));
}

// The image with its center of mass at the middle of 28x28, to the nearest pixel.
function centered(image) {
  let ink = 0,
    down = 0,
    right = 0;
  image.forEach((value, i) => {
    ink += value;
    down += value * div(i, BOX);
    right += value * (i % BOX);
  });
  const start = (moment) => Math.min(SIZE - BOX, Math.max(0, div(SIZE * ink - 2 * moment, 2 * ink)));
  const top = start(down),
    left = start(right),
    placed = new Uint8Array(SIZE * SIZE);
  image.forEach((value, i) => {
    placed[(top + div(i, BOX)) * SIZE + left + (i % BOX)] = value;
  });
  return placed;
}

// The image that a network sees for strokes (lists of points [x, y] from 0 to PAPER) and a pen width, or null if empty.
export function prepared(strokes, pen) {
  strokes = strokes.filter((stroke) => stroke.length > 0);
  if (strokes.length === 0) return null;
  const wide = usualPen(strokes, pen),
    box = fitted(sampled(strokes, wide));
  return { pen: wide, box, image: centered(box) };
}
