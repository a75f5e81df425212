// Figures as inline SVG: lines, bars and a matrix. Colors come from the style sheet, by class: blue is training, orange
// is validation, gray is a magnitude; dashes tell them apart without colors.

import { button, html, svg } from "./dom.js";

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;
// A probability as text; one below 1 is never rounded to 100 %.
export const likely = (p) => (p >= 0.9995 ? ">99.9\u00a0%" : p < 0.0005 ? "<0.1\u00a0%" : percent(p));
export const brief = (v) => {
  const size = Math.abs(v);
  return v === 0
    ? "0"
    : size >= 0.01 && size < 10000
      ? String(Number(v.toPrecision(3)))
      : v.toExponential(1).replace("e+", "e");
};

// About `count` round numbers from low to high.
export function ticks(low, high, count = 4) {
  if (!(high > low)) return [low];
  const raw = (high - low) / count,
    power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

// Lines over x = 1, 2, ..., or over given x. series: [{ name, kind, values, x? }], where kind is a class of the style
// sheet. Values that are null leave a gap; a series without a name is not in the legend.
export function lines(title, series, { y = "", x = "epoch", low, high, mark, share = false } = {}) {
  const W = 460,
    H = 240,
    left = share ? 62 : 54,
    right = 12,
    top = 24,
    bottom = 40;
  const all = series.flatMap((one) => one.values).filter((v) => v !== null && Number.isFinite(v));
  const places = series.flatMap((one) => one.x ?? one.values.map((_, i) => i + 1));
  const from = places.length ? Math.min(...places) : 0,
    to = places.length ? Math.max(...places) : 1;
  let least = low ?? Math.min(...all),
    most = high ?? Math.max(...all);
  if (!all.length) [least, most] = [0, 1];
  if (least === most) [least, most] = [least - 0.5, most + 0.5];
  const px = (v) => left + ((v - from) / (to - from || 1)) * (W - left - right);
  const py = (v) => H - bottom - ((v - least) / (most - least)) * (H - top - bottom);
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title}. ${told(series)}` });
  for (const v of ticks(least, most)) {
    picture.append(svg("line", { class: "grid", x1: left, x2: W - right, y1: py(v), y2: py(v) }));
    picture.append(
      svg(
        "text",
        { x: left - 6, y: py(v) + 4, "text-anchor": "end" },
        share ? `${Number((100 * v).toFixed(6))} %` : brief(v),
      ),
    );
  }
  for (const v of ticks(from, to, 5).filter(Number.isInteger)) {
    picture.append(svg("text", { x: px(v), y: H - bottom + 16, "text-anchor": "middle" }, String(v)));
  }
  picture.append(svg("text", { x: (left + W - right) / 2, y: H - 6, "text-anchor": "middle" }, x));
  picture.append(svg("text", { x: left, y: 14, class: "unit" }, y));
  if (mark !== undefined)
    picture.append(svg("line", { class: "mark", x1: px(mark), x2: px(mark), y1: top, y2: H - bottom }));
  for (const one of series) {
    let path = "",
      pen = "M";
    one.values.forEach((v, i) => {
      if (v === null || !Number.isFinite(v)) {
        pen = "M";
        return;
      }
      path += `${pen}${px(one.x ? one.x[i] : i + 1).toFixed(1)} ${py(Math.min(Math.max(v, least), most)).toFixed(1)}`;
      pen = "L";
    });
    if (path)
      picture.append(
        svg("path", {
          class: `line ${one.kind}${path.includes("L") ? "" : " dot"}`,
          d: path + (path.includes("L") ? "" : "h.01"),
          ...(one.trial === undefined ? {} : { "data-trial": one.trial }),
        }),
      );
  }
  return figure(
    title,
    picture,
    series.filter((one) => one.name).map((one) => [one.kind, one.name]),
  );
}

function told(series) {
  const named = series.filter((one) => one.name);
  if (!named.length) return `${series.length} lines`;
  return named
    .map((one) => {
      const known = one.values.filter((v) => v !== null && Number.isFinite(v));
      return known.length ? `${one.name}: from ${brief(known[0])} to ${brief(known[known.length - 1])}` : one.name;
    })
    .join("; ");
}

export function figure(title, picture, legend = []) {
  const caption = html("figcaption", {}, html("b", {}, title));
  for (const [kind, name] of legend) {
    const sign = svg(
      "svg",
      { viewBox: "0 0 26 8", class: "sign", "aria-hidden": "true" },
      svg("path", { class: `line ${kind}`, d: "M1 4H25" }),
    );
    caption.append(" ", html("span", { class: "key" }, sign, name));
  }
  return html("figure", {}, caption, html("div", { class: "picture" }, picture));
}

// Horizontal bars, each with its value as text. rows: [{ name, value, text, low?, high?, kind? }].
export function bars(title, rows, { most = 1, least = 0, width: W = 460 } = {}) {
  const line = 24,
    name = W < 400 ? 44 : 96,
    end = W < 400 ? 66 : 96;
  const px = (v) => name + Math.min(Math.max((v - least) / (most - least), 0), 1) * (W - name - end);
  const picture = svg("svg", {
    viewBox: `0 0 ${W} ${rows.length * line}`,
    role: "img",
    "aria-label": `${title}. ${rows.map((row) => `${row.name}: ${row.text}`).join("; ")}`,
  });
  rows.forEach((row, i) => {
    const y = i * line;
    picture.append(
      svg(
        "text",
        { x: name - 8, y: y + 16, "text-anchor": "end" },
        row.name.length > name / 7 ? `${row.name.slice(0, Math.floor(name / 7) - 1)}…` : row.name,
      ),
    );
    picture.append(
      svg("rect", {
        class: `bar ${row.kind ?? ""}`,
        x: name,
        y: y + 4,
        width: Math.max(px(row.value) - name, 0.5),
        height: line - 8,
      }),
    );
    if (row.low !== undefined) {
      picture.append(svg("path", { class: "whisker", d: `M${px(row.low)} ${y + line / 2}H${px(row.high)}` }));
    }
    picture.append(svg("text", { x: W - end + 8, y: y + 16 }, row.text));
  });
  return figure(title, picture);
}

// How often class i (row) was classified as class j (column). Mistakes are shaded relative to the most frequent one.
export function matrix(title, counts, names, chosen) {
  const table = html("table", { class: "matrix" }),
    most = Math.max(1, ...counts.flatMap((row, i) => row.filter((_, j) => j !== i)));
  const tall = names.some((name) => name.length > 4) ? "tall" : "";
  table.append(html("caption", {}, title));
  table.append(
    html(
      "tr",
      {},
      html("td"),
      ...names.map((name) => html("th", { scope: "col", title: name, class: tall }, html("span", {}, name))),
    ),
  );
  counts.forEach((row, i) => {
    const line = html("tr", {}, html("th", { scope: "row", title: names[i] }, names[i]));
    row.forEach((count, j) => {
      const shade = i === j ? "own" : count ? `wrong w${Math.min(5, Math.ceil((5 * count) / most))}` : "none";
      const cell = html("td", { class: shade });
      if (chosen && count && i !== j) {
        cell.append(
          button(String(count), () => chosen(i, j), {
            "aria-label": `${count} of ${names[i]} classified as ${names[j]}`,
          }),
        );
      } else {
        cell.append(count ? String(count) : "·");
      }
      line.append(cell);
    });
    table.append(line);
  });
  return html("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title }, table);
}

// An image of bytes (H, W) or (H, W, 3) on a canvas, light on dark, as stored.
export function image(pixels, height, width, label) {
  const told = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  const canvas = html("canvas", { width, height, class: "pixels", ...told });
  const context = canvas.getContext("2d"),
    data = context.createImageData(width, height);
  const C = Math.round(pixels.length / (height * width));
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = pixels[C * i + (C >= 3 ? c : 0)];
    data.data[4 * i + 3] = 255;
  }
  context.putImageData(data, 0, 0);
  return canvas;
}

export const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
