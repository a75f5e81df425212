// Draw: the paper on the left, the layers in the middle, the answer on the right. All change with every stroke.

import { answerCard } from "./answer.js";
import { bytes, image } from "./chart.js";
import { button, html } from "./dom.js";
import { imageOf, pack, packed, smaller, unpack } from "./images.js";
import { layerStrips, openUnit } from "./layers.js";
import { pad, paperCanvas } from "./pad.js";
import { storyCard } from "./stories.js";
import { attempt, post, watch } from "./wire.js";

const PENS = { thin: 55, medium: 90, thick: 130 };
const FARTHEST = 27; // the most pixels that an image can be moved by
const QUIET = 120; // milliseconds without a point, after which the answer is the final one
const ARROWS = [
  ["←", -1, 0, "left"],
  ["→", 1, 0, "right"],
  ["↑", 0, -1, "up"],
  ["↓", 0, 1, "down"],
];
const MOST = 256 * 1024; // bytes of a picture
const NOTHING = { answer: null, reason: "nothing drawn", classes: [], probabilities: null };
const UNREADABLE = "the browser cannot read this file as a picture; save it as PNG or JPEG";

export function draw(main, about, address) {
  const canvas = paperCanvas();
  const layers = html("div"),
    drawer = html("div", { "aria-live": "polite" }),
    taken = html("p", { class: "soft" });
  let asking = false,
    again = false,
    final = true,
    shownImage = null,
    seen = null,
    moved = [0, 0];

  // Open a chosen unit, with a link to step through it
  const open = (layer, unit) =>
    openUnit(drawer, layer, unit, () => {
      const pixels = seen ? { pixels: packed(seen) } : {};
      location.hash = `#${new URLSearchParams({ view: "step", net: "real", layer, unit, ...pixels })}`;
    });
  const strips = layerStrips(layers, (layer, unit) => {
    address.set({ unit: `${layer}.${unit}` });
    open(layer, unit);
  });

  // The answer

  const answer = answerCard((pixels, more) => take(pixels, more));
  function show(found, drawn) {
    seen = found.seen ? bytes(found.seen) : null;
    answer.show(found, drawn, final, () => strips(found.layers));
  }

  async function ask() {
    if (asking) {
      again = true;
      return;
    }
    if (!shownImage && !paper.strokes.length) {
      show(NOTHING, null);
      return;
    }
    asking = true;
    const strokes = paper.strokes.map((stroke) => [...stroke]); // as they are now; drawing goes on meanwhile
    const what = shownImage ? { image: Array.from(shownImage) } : { strokes, pen: paper.pen };
    const found = await attempt(post("/api/draw", { ...what, moved, quick: !final }));
    asking = false;
    if (found) show(found, shownImage || moved[0] || moved[1] ? null : [what.strokes, what.pen]);
    if (again) {
      again = false;
      ask();
    }
  }

  // The paper

  let frame = 0,
    quiet = 0;
  const paper = pad(canvas, {
    changed: () => {
      shownImage = null;
      final = false;
      taken.textContent = "";
      clearTimeout(quiet);
      quiet = setTimeout(rested, QUIET);
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        ask();
      });
    },
  });
  function rested() {
    final = true;
    const pen = paper.pen === PENS.medium ? null : paper.pen;
    address.set({ strokes: pack(paper.strokes), pen, pixels: null, sample: null, label: null });
    ask();
  }
  function emptyPaper() {
    paper.clear();
    clearTimeout(quiet);
    cancelAnimationFrame(frame);
    frame = 0;
    final = true;
  }

  // Replace the strokes by an image, and put it into the address.
  function take(pixels, { label = null, sample = null, said } = {}) {
    emptyPaper();
    shownImage = pixels;
    paper.show(image(pixels, 28, 28, ""));
    address.set({ strokes: null, label, sample, pixels: sample ? null : packed(pixels) });
    const of = sample ?? label;
    taken.textContent = said ?? (of ? `This is an image of a ${of}.` : "This is an image.");
    ask();
  }

  async function picture(blob) {
    if (!blob) return;
    const small = blob.size > MOST ? await smaller(blob, MOST) : blob;
    emptyPaper();
    const found = await attempt(small ? post("/api/picture", small) : Promise.reject(new Error(UNREADABLE)));
    if (!found) {
      shownImage = null;
      address.set({ strokes: null, sample: null, label: null, pixels: null });
      show(NOTHING, null);
      return;
    }
    shownImage = found.seen ? bytes(found.seen) : null;
    if (shownImage) paper.show(image(shownImage, 28, 28, ""));
    address.set({ strokes: null, sample: null, label: null, pixels: shownImage && packed(shownImage) });
    taken.textContent = shownImage ? "This is your picture, as the network sees it." : "";
    show(found, null);
  }

  // Moving the image

  const place = html("output", {}, "0, 0");
  function moveTo(x, y) {
    moved = [x, y].map((v) => Math.min(FARTHEST, Math.max(-FARTHEST, v)));
    place.textContent = moved.join(", ");
    address.set({ moved: moved[0] || moved[1] ? moved.join(".") : null });
  }
  const arrows = ARROWS.map(([text, x, y, name]) =>
    button(
      text,
      () => {
        moveTo(moved[0] + x, moved[1] + y);
        final = true;
        ask();
      },
      { "aria-label": `Move the image by one pixel, ${name}` },
    ),
  );
  const back = button(
    "Back",
    () => {
      moveTo(0, 0);
      final = true;
      ask();
    },
    { title: "Move the image back to its place" },
  );

  // The controls

  const pens = Object.entries(PENS).map(([name, width]) =>
    button(
      name,
      () => {
        paper.width(width);
        press();
      },
      { "data-pen": width, title: `A ${name} pen` },
    ),
  );
  const press = () =>
    pens.forEach((one) => one.setAttribute("aria-pressed", String(Number(one.dataset.pen) === paper.pen)));
  const clear = button("Clear", () => {
      moveTo(0, 0);
      paper.clear();
    }),
    undo = button("Undo", () => paper.undo());
  const samples = about.samples.map((one) =>
    button(image(bytes(one.pixels), 28, 28, ""), () => take(bytes(one.pixels), { sample: one.label }), {
      "aria-label": `sample: a ${one.label}`,
    }),
  );
  const file = html("input", { type: "file", accept: "image/*", id: "file" });
  file.addEventListener("change", () => {
    picture(file.files[0]);
    file.value = "";
  });
  canvas.addEventListener("dragover", (event) => {
    event.preventDefault();
    canvas.classList.add("drop");
  });
  canvas.addEventListener("dragleave", () => canvas.classList.remove("drop"));
  canvas.addEventListener("drop", (event) => {
    event.preventDefault();
    canvas.classList.remove("drop");
    picture(event.dataTransfer.files[0]);
  });

  main.append(
    html(
      "section",
      { class: "card", "aria-label": "Paper" },
      canvas,
      taken,
      html("div", { class: "row" }, clear, undo, ...pens),
      html("h2", {}, "Samples"),
      html("div", { class: "samples" }, ...samples),
      html("h2", {}, "Move the image"),
      html("div", { class: "row" }, ...arrows, back, place),
      html("h2", {}, "Use a picture"),
      html("label", { for: "file" }, "Drop a picture on the paper, or choose a file:"),
      file,
    ),
    html("section", { class: "card", "aria-label": "Layers" }, html("h2", {}, "The network, layer by layer"), layers),
    answer.card,
    html("section", { class: "card whole", "aria-label": "The chosen unit" }, drawer),
    storyCard(about),
  );
  drawer.append(
    html(
      "p",
      { class: "soft" },
      "Click a unit or a map above to see its weights, and the images that activate it most.",
    ),
  );

  // Restore the state in the address

  moveTo(
    ...(address.get("moved") ?? "0.0")
      .split(".")
      .map((v) => parseInt(v, 10) || 0)
      .concat(0)
      .slice(0, 2),
  );
  const given = imageOf(about, address);
  if (given) take(given, { sample: address.get("sample"), label: address.get("label") });
  else
    paper.set(
      unpack(address.get("strokes") ?? ""),
      Math.min(600, Math.max(1, parseInt(address.get("pen"), 10) || PENS.medium)),
    );
  press();
  const [, layer, unit] = (address.get("unit") ?? "").match(/^(\w+)\.(\d+)$/) ?? [];
  if (layer) open(layer, Number(unit));
  document.addEventListener("theme", paper.redraw);
  let last = -1;
  const stop = watch(({ trials }) => {
    // the answer follows the network while it learns
    const steps = trials[0]?.steps ?? 0,
      due = trials[0]?.ended ? 1 : 40;
    if (about.given || !final || Math.abs(steps - last) < due) return;
    last = steps;
    if (paper.strokes.length || shownImage) ask();
  });
  return () => {
    stop();
    clearTimeout(quiet);
    document.removeEventListener("theme", paper.redraw);
  };
}
