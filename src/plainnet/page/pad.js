// A paper to draw on with mouse, pen, finger or keys. Strokes are lists of points, whole numbers from 0 to PAPER.
//
// Keys: the arrows move the pen, Space lowers or lifts it, Escape clears the paper, Backspace removes a stroke.

import { html } from "./dom.js";
import { PAPER } from "./prepare.js";

const KEYS = "Arrow keys move the pen, Space lowers or lifts it, Backspace removes a stroke, Escape clears the paper.";

export const paperCanvas = () =>
  html("canvas", {
    class: "pad",
    width: 560,
    height: 560,
    tabindex: 0,
    role: "application",
    "aria-label": `Paper to draw a digit on. ${KEYS}`,
  });

const STEP = 28; // how far an arrow key moves the pen

export function pad(canvas, { changed, pen = 90, said = () => {} }) {
  let strokes = [],
    current = null,
    width = pen,
    at = null,
    behind = null;
  const context = canvas.getContext("2d");
  const inside = (v) => Math.min(PAPER - 1, Math.max(0, Math.round(v)));

  function draw() {
    const scale = canvas.width / PAPER,
      style = getComputedStyle(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (behind && !strokes.length) {
      context.imageSmoothingEnabled = false;
      context.drawImage(behind, 0, 0, canvas.width, canvas.height);
    }
    context.strokeStyle = context.fillStyle = style.color;
    context.lineWidth = width * scale;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(stroke[0][0] * scale, stroke[0][1] * scale);
      for (const [x, y] of stroke) context.lineTo(x * scale, y * scale);
      if (stroke.length === 1) context.lineTo(stroke[0][0] * scale + 0.01, stroke[0][1] * scale);
      context.stroke();
    }
    if (at) {
      // the position of the pen that the keys move
      context.beginPath();
      context.lineWidth = 2;
      context.arc(at[0] * scale, at[1] * scale, 8, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  function tell() {
    behind = null;
    draw();
    changed(strokes, width);
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [
      inside(((event.clientX - box.left) / box.width) * PAPER),
      inside(((event.clientY - box.top) / box.height) * PAPER),
    ];
  }

  function reach(point) {
    const last = current[current.length - 1];
    if (last[0] !== point[0] || last[1] !== point[1]) current.push(point);
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    event.preventDefault();
    canvas.focus();
    canvas.setPointerCapture?.(event.pointerId);
    at = null;
    strokes.push((current = [place(event)]));
    tell();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!current || at) return;
    for (const one of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) reach(place(one));
    tell();
  });
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, () => {
      if (!at) current = null;
    });

  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move) {
      at = (at ?? [PAPER / 2, PAPER / 2]).map((v, i) => inside(v + STEP * move[i]));
      if (current) reach(at);
    } else if (event.key === " ") {
      at = at ?? [PAPER / 2, PAPER / 2];
      if (current) current = null;
      else strokes.push((current = [at]));
      said(current ? "pen down" : "pen up");
    } else if (event.key === "Backspace") {
      strokes.pop();
      current = null;
    } else if (event.key === "Escape") {
      strokes = [];
      current = at = null;
    } else {
      return;
    }
    event.preventDefault();
    tell();
  });
  canvas.addEventListener("blur", () => {
    at = current = null;
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  return {
    clear() {
      strokes = [];
      current = at = null;
      tell();
    },
    undo() {
      strokes.pop();
      current = null;
      tell();
    },
    set(given, pen) {
      strokes = given;
      width = pen ?? width;
      current = null;
      tell();
    },
    width(pen) {
      width = pen;
      tell();
    },
    show(picture) {
      behind = picture;
      draw();
    },
    redraw: draw,
    get strokes() {
      return strokes;
    },
    get pen() {
      return width;
    },
  };
}
