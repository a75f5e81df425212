// Layers: the outputs of every layer as a strip of pictures; a unit opens with its weights and strongest images.

import { brief, bytes, image } from "./chart.js";
import { html } from "./dom.js";
import { explained } from "./explain.js";
import { attempt, post } from "./wire.js";

// Bytes around 128 as colors: blue is positive (for), orange is negative (against), dark is zero.
const COLORS = Uint32Array.from({ length: 256 }, (_, value) => {
  const v = (value - 128) / 127,
    color = v >= 0 ? [70, 160, 255] : [255, 140, 40],
    size = Math.min(1, Math.abs(v));
  const [r, g, b] = [20, 24, 30].map((dark, i) => Math.round(dark + size * (color[i] - dark)));
  return r | (g << 8) | (b << 16) | (255 << 24);
});

export function signed(values, height, width, label) {
  const colored = new Uint8Array(3 * values.length);
  values.forEach((value, i) =>
    colored.set([COLORS[value] & 255, (COLORS[value] >> 8) & 255, (COLORS[value] >> 16) & 255], 3 * i),
  );
  return image(colored, height, width, label);
}

export const figureOf = (canvas, text) => html("figure", {}, canvas, html("figcaption", {}, text));
export const tile = (one, text) =>
  figureOf(image(bytes(one.pixels), 28, 28, `a ${one.label}`), text ?? `a ${one.label}`);

export function layerStrips(box, chosen) {
  const strips = new Map();

  // One canvas per layer, reused from answer to answer, with its maps or units side by side.
  function strip(layer) {
    let one = strips.get(layer.layer);
    if (!one) {
      const canvas = html("canvas", { class: "strip", tabindex: 0, role: "application" }),
        title = html("p", {});
      one = { canvas, box: html("div", {}, title, canvas), title, chosen: 0 };
      strips.set(layer.layer, one);
      const choose = (k) => {
        one.chosen = Math.min(Math.max(k, 0), one.count - 1);
        paint(one);
      };
      canvas.addEventListener("click", (event) => {
        const scale = canvas.width / canvas.getBoundingClientRect().width;
        const k =
          Math.floor((event.offsetY * scale) / one.cell) * one.columns + Math.floor((event.offsetX * scale) / one.cell);
        if (k < one.count) {
          choose(k);
          chosen(one.layer.layer, k);
        }
      });
      canvas.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: one.columns, ArrowUp: -one.columns }[event.key];
        if (by) choose(one.chosen + by);
        else if (event.key === "Enter" || event.key === " ") chosen(one.layer.layer, one.chosen);
        else return;
        event.preventDefault();
      });
      for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => paint(one));
    }
    Object.assign(one, { layer, values: bytes(layer.values), count: layer.shown[0], maps: layer.shown.length === 3 });
    const more = layer.shape.at(-1) > one.count ? `, the first ${one.count}` : "";
    const said = ` ${layer.shape.join("x")}${more}; largest ${layer.largest.toPrecision(3)}`;
    if (one.said?.textContent !== said) {
      one.said = html("span", { class: "soft" }, said);
      one.title.replaceChildren(html("b", {}, layer.layer), " ", explained(layer.kind, layer.kind), one.said);
    }
    one.canvas.setAttribute(
      "aria-label",
      `${layer.layer}: ${one.count} ${one.maps ? "maps" : "units"}; the arrow keys choose one, Enter opens it`,
    );
    return one;
  }

  function paint(one) {
    const [count, height, width] = one.maps ? one.layer.shown : [one.layer.shown[0], 1, 1];
    const scale = one.maps ? Math.max(1, Math.floor(Math.min(36, 12 + 4 * width) / width)) : 11,
      gap = 3;
    one.cell = scale * Math.max(width, height) + gap;
    one.columns = Math.max(1, Math.floor((box.clientWidth || 300) / one.cell));
    const { canvas } = one,
      wide = Math.min(count, one.columns) * one.cell;
    if (canvas.width !== wide) canvas.width = wide;
    canvas.height = Math.ceil(count / one.columns) * one.cell;
    const context = canvas.getContext("2d"),
      picture = context.createImageData(canvas.width, canvas.height),
      pixels = new Uint32Array(picture.data.buffer);
    for (let k = 0; k < count; k++) {
      const left = (k % one.columns) * one.cell,
        top = Math.floor(k / one.columns) * one.cell;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const color = COLORS[one.values[(k * height + y) * width + x]],
            at = left + x * scale;
          for (let row = top + y * scale; row < top + (y + 1) * scale; row++)
            pixels.fill(color, row * canvas.width + at, row * canvas.width + at + scale);
        }
      }
    }
    context.putImageData(picture, 0, 0);
    if (document.activeElement === canvas) {
      context.strokeStyle = getComputedStyle(canvas).color;
      context.lineWidth = 2;
      context.strokeRect(
        (one.chosen % one.columns) * one.cell,
        Math.floor(one.chosen / one.columns) * one.cell,
        one.cell - gap + 1,
        one.cell - gap + 1,
      );
    }
  }

  return (layers) => {
    if (!layers) {
      box.replaceChildren(
        html("p", { class: "soft" }, "Draw a digit or choose a sample: the outputs of every layer appear here."),
      );
      return;
    }
    const shown = layers.filter((layer) => layer.kind !== "Flatten").map(strip);
    if (shown.length !== box.childElementCount || shown.some((one, i) => box.children[i] !== one.box))
      box.replaceChildren(...shown.map((one) => one.box));
    shown.forEach(paint);
  };
}

// A unit: its weights, the training images that activate it most, and a button to step through it.
export async function openUnit(drawer, layer, unit, stepThrough) {
  const found = await attempt(post("/api/unit", { layer, unit }));
  if (!found) return;
  const line = html("div", { class: "sees" });
  if (found.weights) {
    line.append(
      figureOf(
        signed(bytes(found.weights), ...found.size, `weights of ${found.of}, unit ${unit}`),
        `weights of ${found.of}; bias ${found.bias.toPrecision(3)}`,
      ),
    );
  }
  for (const one of found.exciting) line.append(tile(one, `a ${one.label}: ${brief(one.value)}`));
  const step = html("button", { type: "button" }, "Step through this unit");
  step.addEventListener("click", () => stepThrough(layer, unit));
  drawer.replaceChildren(
    html("h2", {}, `${found.layer}, ${found.kind}: unit ${found.unit}`),
    line,
    html(
      "p",
      { class: "soft" },
      "The training images that activate it most, each with its output (for a map, the largest output).",
    ),
    step,
  );
}
