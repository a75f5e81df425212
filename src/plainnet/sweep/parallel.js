// Parallel coordinates: one axis for each setting and one for the result; every trial is a line through its values.
// Slices: the result plotted against one setting.

import { svg } from "./dom.js";
import { brief, figure, ticks } from "./chart.js";

const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
const short = (name, most) => (name.length > most ? `…${name.slice(1 - most)}` : name);

// The position of a value on the axis of its setting, from 0 to 1, and the marks of the axis.
export function scale(setting) {
  if (setting.kind === "choice") {
    const names = setting.choices.map(text),
      last = names.length - 1;
    const at = (value) => (last ? names.indexOf(text(value)) / last : 0.5);
    return { at, marks: setting.choices.map((choice) => [at(choice), text(choice)]) };
  }
  const isLog = setting.kind.startsWith("log");
  const by = isLog ? Math.log10 : Number;
  const low = by(setting.low),
    high = by(setting.high);
  const at = (value) => (by(value) - low) / (high - low || 1);
  if (!isLog) return { at, marks: ticks(setting.low, setting.high).map((v) => [at(v), brief(v)]) };
  const powers = ticks(Math.ceil(low - 1e-9), Math.floor(high + 1e-9)).filter(Number.isInteger);
  const values = powers.length > 1 ? powers.map((v) => 10 ** v) : [setting.low, setting.high];
  return { at, marks: values.map((v) => [at(v), brief(v)]) };
}

export function resultScale(trials, share) {
  const values = trials.map((trial) => trial.value);
  const low = Math.min(...values),
    high = Math.max(...values);
  const at = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const marks = ticks(low, high).map((v) => [at(v), share ? `${Number((100 * v).toFixed(2))} %` : brief(v)]);
  return { at, marks, low, high };
}

export function parallel(title, settings, trials, good, result, said) {
  const gap = Math.max(110, 900 / settings.length),
    W = gap * settings.length + 160,
    H = 300,
    top = 40,
    bottom = 16,
    left = 80;
  const py = (share) => H - bottom - share * (H - top - bottom);
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title}. ${said}` });
  const axes = [...settings.map((one) => ({ name: one.key, ...scale(one) })), { name: result.name, ...result }];
  const worstFirst = [...trials].sort((a, b) => good(a) - good(b));
  for (const trial of worstFirst) {
    const shares = settings.map((one, i) => axes[i].at(trial.overrides[one.key]));
    const path = [...shares, result.at(trial.value)].map((v, i) => `${left + gap * i} ${py(v).toFixed(1)}`).join("L");
    picture.append(
      svg("path", { class: `trial${good(trial) ? " good" : ""}`, "data-trial": trial.number, d: `M${path}` }),
    );
  }
  axes.forEach((axis, i) => {
    const x = left + gap * i;
    picture.append(
      svg("line", { class: "axis", x1: x, x2: x, y1: py(0), y2: py(1) }),
      svg(
        "text",
        { x, y: 16, "text-anchor": "middle" },
        svg("title", {}, axis.name),
        short(axis.name, Math.floor(gap / 7)),
      ),
    );
    for (const [share, mark] of axis.marks)
      picture.append(svg("text", { x: x - 5, y: py(share) + 4, "text-anchor": "end" }, short(mark, 8)));
  });
  return figure(title, picture);
}

export function slice(setting, trials, good, result) {
  const W = 300,
    H = 190,
    left = 58,
    right = 12,
    top = 12,
    bottom = 28;
  const axis = scale(setting);
  const px = (share) => left + (setting.kind === "choice" ? 0.08 + 0.84 * share : share) * (W - left - right);
  const py = (share) => H - bottom - share * (H - top - bottom);
  const picture = svg("svg", {
    viewBox: `0 0 ${W} ${H}`,
    role: "img",
    "aria-label": `${result.name} over ${setting.key}, ${trials.length} trials`,
  });
  for (const [share, mark] of result.marks) {
    picture.append(
      svg("line", { class: "grid", x1: left, x2: W - right, y1: py(share), y2: py(share) }),
      svg("text", { x: left - 6, y: py(share) + 4, "text-anchor": "end" }, mark),
    );
  }
  const every = Math.ceil(axis.marks.length / 6);
  axis.marks.forEach(([share, mark], i) => {
    if (i % every === 0)
      picture.append(svg("text", { x: px(share), y: H - 8, "text-anchor": "middle" }, short(mark, 9)));
  });
  for (const trial of trials) {
    const at = { cx: px(axis.at(trial.overrides[setting.key])).toFixed(1), cy: py(result.at(trial.value)).toFixed(1) };
    picture.append(
      svg("circle", { class: `trial${good(trial) ? " good" : ""}`, "data-trial": trial.number, r: 3.5, ...at }),
    );
  }
  return figure(setting.key, picture);
}
