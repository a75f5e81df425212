// Draw: a digit on the left, the layers in the middle, the answer on the right; all at every stroke.

import { bars, bytes, html, image, likely } from "./chart.js";
import { pad } from "./pad.js";
import { prepared, PAPER } from "./prepare.js";
import { attempt, post, watch } from "./wire.js";

const PENS = { thin: 55, middle: 90, thick: 130 };

// Bytes around 128 as colors: blue for and positive, orange against and negative, dark for nothing.
const COLORS = Array.from({ length: 256 }, (_, value) => {
  const v = (value - 128) / 127, [r, g, b] = v >= 0 ? [70, 160, 255] : [255, 140, 40], size = Math.min(1, Math.abs(v));
  return [20 + size * (r - 20), 24 + size * (g - 24), 30 + size * (b - 30)].map(Math.round);
});

export function signed(values, height, width, label) {
  const colored = new Uint8Array(3 * values.length);
  values.forEach((value, i) => colored.set(COLORS[value], 3 * i));
  return image(colored, height, width, label);
}

export const pack = (strokes) => strokes.map((stroke) => stroke.flat().map((v) => v.toString(36)).join(".")).join("-");
export function unpack(text) {
  const points = (part) => part.split(".").map((v) => Math.min(PAPER - 1, Math.max(0, parseInt(v, 36) || 0)));
  const pairs = (values) => Array.from({ length: Math.floor(values.length / 2) }, (_, i) => [values[2 * i], values[2 * i + 1]]);
  return text.split("-").map((part) => pairs(points(part))).filter((stroke) => stroke.length);
}

export function draw(main, about, address) {
  const canvas = html("canvas", { class: "pad", width: 560, height: 560, tabindex: 0, role: "application",
    "aria-label": "Paper to draw a digit on. Arrows move the pen, space puts it down or lifts it, Backspace takes back a stroke, Escape clears." });
  const answer = html("p", { class: "answer unsure" }), probabilities = html("div"), told = html("p", { class: "hidden", "aria-live": "polite" });
  const sees = html("div", { class: "sees" }), layers = html("div"), drawer = html("div", { "aria-live": "polite" });
  const nearest = html("div", { class: "sees" }), differs = html("p", { class: "soft" });
  const strips = new Map();
  let asking = false, again = false, final = true, shownImage = null;

  async function ask() {
    if (asking) { again = true; return; }
    if (!shownImage && !paper.strokes.length) {
      show({ answer: null, reason: "nothing drawn", classes: [], probabilities: null }, null);
      return;
    }
    asking = true;
    const quick = !final, [strokes, pen] = [paper.strokes, paper.pen];
    const found = await attempt(post("/api/draw", shownImage ? { image: shownImage } : { strokes, pen, quick }));
    asking = false;
    if (found) show(found, shownImage ? null : prepared(strokes, pen));
    if (again) { again = false; ask(); }
  }

  function figureOf(canvas, text) {
    return html("figure", {}, canvas, html("figcaption", {}, text));
  }

  function show(found, own) {
    const { classes, probabilities: shares, reason } = found;
    const order = (shares ?? []).map((p, k) => [p, k]).sort((a, b) => b[0] - a[0]);
    const sentence = found.answer !== null ? found.answer
      : reason === "not sure" ? `not sure: ${order.slice(0, 2).map(([, k]) => classes[k]).join(" or ")}` : reason;
    answer.textContent = sentence;
    answer.className = found.answer !== null ? "answer" : "answer unsure";
    if (final) told.textContent = `Answer: ${sentence}`;
    probabilities.replaceChildren();
    if (shares) {
      probabilities.append(bars("Probabilities", order.slice(0, 10).map(([p, k], i) => ({ name: classes[k], value: p, text: likely(p), kind: i ? "" : "first" })), { width: 280 }));
    }
    sees.replaceChildren();
    if (own) sees.append(figureOf(image(own.box, 20, 20, "the box around the strokes, 20 by 20"), "the box around it, 20x20"));
    if (found.seen) {
      const seen = bytes(found.seen);
      sees.append(figureOf(image(seen, 28, 28, "what the network sees, 28 by 28"), "what it sees, 28x28"));
      differs.textContent = own && seen.some((v, i) => v !== own.image[i]) ? "The page and the lab prepared this drawing differently: please report it." : "";
    }
    if (found.speaks) sees.append(figureOf(signed(bytes(found.speaks), 28, 28, "what speaks for the answer, blue, and against it, orange"), "for (blue), against (orange)"));
    const shown = (found.layers ?? []).filter((layer) => layer.kind !== "Flatten").map(strip);
    if (shown.length !== layers.childElementCount || shown.some((one, i) => layers.children[i] !== one.box)) layers.replaceChildren(...shown.map((one) => one.box));
    shown.forEach(paint);
    if (!found.layers) layers.replaceChildren(html("p", { class: "soft" }, "Draw a digit, or take one of the samples: every layer's answer appears here."));
    if (found.nearest) {
      nearest.replaceChildren(...found.nearest.map((one) => figureOf(image(bytes(one.pixels), 28, 28, `training image, a ${one.label}`), `a ${one.label}`)));
    }
  }

  // One canvas a layer, kept from answer to answer: a map or unit beside the other.
  function strip(layer) {
    let one = strips.get(layer.layer);
    if (!one) {
      const canvas = html("canvas", { class: "strip", tabindex: 0, role: "application" });
      const title = html("p", {});
      one = { canvas, box: html("div", {}, title, canvas), title, chosen: 0 };
      strips.set(layer.layer, one);
      const choose = (k) => { one.chosen = Math.min(Math.max(k, 0), one.count - 1); paint(one); };
      canvas.addEventListener("click", (event) => {
        const k = Math.floor(event.offsetY / one.cell) * one.columns + Math.floor(event.offsetX / one.cell);
        if (k < one.count) { choose(k); open(one.layer.layer, k); }
      });
      canvas.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: one.columns, ArrowUp: -one.columns }[event.key];
        if (by) choose(one.chosen + by);
        else if (event.key === "Enter" || event.key === " ") open(one.layer.layer, one.chosen);
        else return;
        event.preventDefault();
      });
      for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => paint(one));
    }
    Object.assign(one, { layer, values: bytes(layer.values), count: layer.shown[0], maps: layer.shown.length === 3 });
    const more = layer.shape.at(-1) > one.count ? `, the first ${one.count}` : "";
    one.title.replaceChildren(html("b", {}, layer.layer), html("span", { class: "soft" }, ` ${layer.kind}, ${layer.shape.join("x")}${more}; largest ${layer.largest.toPrecision(3)}`));
    one.canvas.setAttribute("aria-label", `${layer.layer}: ${one.count} ${one.maps ? "maps" : "units"}; arrows choose one, Enter opens it`);
    return one;
  }

  function paint(one) {
    const [count, height, width] = one.maps ? one.layer.shown : [one.layer.shown[0], 1, 1];
    const scale = one.maps ? Math.max(1, Math.floor(36 / width)) : 11, gap = 3;
    one.cell = scale * Math.max(width, height) + gap;
    one.columns = Math.max(1, Math.floor((layers.clientWidth || 300) / one.cell));
    const { canvas } = one, rows = Math.ceil(count / one.columns);
    canvas.width = Math.min(count, one.columns) * one.cell;
    canvas.height = rows * one.cell;
    const context = canvas.getContext("2d"), picture = context.createImageData(canvas.width, canvas.height);
    for (let k = 0; k < count; k++) {
      const left = (k % one.columns) * one.cell, top = Math.floor(k / one.columns) * one.cell;
      for (let y = 0; y < height * scale; y++) {
        for (let x = 0; x < width * scale; x++) {
          const value = one.values[(k * height + Math.floor(y / scale)) * width + Math.floor(x / scale)];
          const at = 4 * ((top + y) * canvas.width + left + x), color = COLORS[value];
          picture.data[at] = color[0]; picture.data[at + 1] = color[1]; picture.data[at + 2] = color[2]; picture.data[at + 3] = 255;
        }
      }
    }
    context.putImageData(picture, 0, 0);
    if (document.activeElement === canvas) {
      context.strokeStyle = getComputedStyle(canvas).color;
      context.lineWidth = 2;
      context.strokeRect((one.chosen % one.columns) * one.cell, Math.floor(one.chosen / one.columns) * one.cell, one.cell - gap + 1, one.cell - gap + 1);
    }
  }

  async function open(layer, unit) {
    const found = await attempt(post("/api/unit", { layer, unit }));
    if (!found) return;
    drawer.replaceChildren(html("h2", {}, `${found.layer}, ${found.kind}: unit ${found.unit}`));
    const line = html("div", { class: "sees" });
    if (found.weights) {
      line.append(figureOf(signed(bytes(found.weights), ...found.size, `weights of ${found.of}, unit ${unit}`), `weights of ${found.of}; bias ${found.bias.toPrecision(3)}`));
    }
    for (const one of found.exciting) line.append(figureOf(image(bytes(one.pixels), 28, 28, `a ${one.label}`), `a ${one.label}: ${one.value.toPrecision(3)}`));
    drawer.append(line, html("p", { class: "soft" }, "Training images that excite it most, with its output for each."));
  }

  let frame = 0, quiet = 0;
  const paper = pad(canvas, { changed: () => {
    shownImage = null;
    final = false;
    clearTimeout(quiet);
    quiet = setTimeout(() => { final = true; address.set({ strokes: pack(paper.strokes), row: null }); ask(); }, 120);
    frame ||= requestAnimationFrame(() => { frame = 0; ask(); });
  } });

  const clear = html("button", { type: "button" }, "Clear"), undo = html("button", { type: "button" }, "Undo");
  clear.addEventListener("click", () => paper.clear());
  undo.addEventListener("click", () => paper.undo());
  const pens = Object.entries(PENS).map(([name, width]) => {
    const button = html("button", { type: "button", "aria-pressed": String(width === paper.pen), title: `A ${name} pen` }, name);
    button.addEventListener("click", () => {
      pens.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      paper.width(width);
    });
    return button;
  });
  const samples = html("div", { class: "samples" });
  const take = (pixels) => { paper.clear(); clearTimeout(quiet); shownImage = Array.from(pixels); final = true; ask(); };
  for (const one of about.samples) {
    const button = html("button", { type: "button", "aria-label": `sample: a ${one.label}` }, image(bytes(one.pixels), 28, 28, ""));
    button.addEventListener("click", () => take(bytes(one.pixels)));
    samples.append(button);
  }
  const file = html("input", { type: "file", accept: "image/*", id: "file" });
  const picture = async (blob) => {
    if (!blob) return;
    if (blob.size > 256 * 1024) blob = await smaller(blob);
    const found = await attempt(post("/api/picture", blob));
    final = true;
    if (found) show(found, null);
  };
  file.addEventListener("change", () => picture(file.files[0]));
  canvas.addEventListener("dragover", (event) => { event.preventDefault(); canvas.classList.add("drop"); });
  canvas.addEventListener("dragleave", () => canvas.classList.remove("drop"));
  canvas.addEventListener("drop", (event) => { event.preventDefault(); canvas.classList.remove("drop"); picture(event.dataTransfer.files[0]); });

  main.append(
    html("section", { class: "card", "aria-label": "Paper" }, canvas, html("div", { class: "row" }, clear, undo, ...pens),
      html("h2", {}, "Samples"), samples, html("h2", {}, "A picture"), html("label", { for: "file" }, "Drop one on the paper, or choose:"), file),
    html("section", { class: "card", "aria-label": "Layers" }, html("h2", {}, "The network, layer by layer"), layers),
    html("section", { class: "card", "aria-label": "Answer" }, html("h2", {}, "Answer"), answer, told, probabilities, sees, differs,
      html("h2", {}, "Nearest training images"), nearest),
    html("section", { class: "card whole", "aria-label": "The unit chosen" }, drawer));
  drawer.append(html("p", { class: "soft" }, "Choose a unit or a map above to see its weights, and the images that excite it most."));
  const given = sessionStorage.getItem("image");
  if (given) {
    sessionStorage.removeItem("image");
    take(bytes(given));
  } else {
    paper.set(unpack(address.get("strokes") ?? ""));
  }
  document.addEventListener("theme", paper.redraw);
  let last = -1;
  const stop = watch(({ trials }) => {               // the answer follows the network while it learns
    const steps = trials[0]?.steps ?? 0, due = trials[0]?.ended ? 1 : 40;
    if (!about.given && final && Math.abs(steps - last) >= due && (paper.strokes.length || shownImage)) { last = steps; ask(); }
  });
  return () => { stop(); document.removeEventListener("theme", paper.redraw); };
}

// A picture small enough to be sent.
async function smaller(blob) {
  const bitmap = await createImageBitmap(blob), scale = Math.min(1, 1000 / Math.max(bitmap.width, bitmap.height));
  const canvas = html("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
}
