// The graph of a small network. The part computed at this moment is highlighted; values not yet computed are empty.

import { svg } from "./dom.js";
import { shown } from "./moments.js";

export function graph(network, forward, now, known) {
  const W = 640,
    H = 250,
    counts = [network.x.length, ...network.layers.map(({ b }) => b.length)];
  const px = (k) => 60 + (k * (W - 120)) / (counts.length - 1),
    py = (k, i) => (H * (i + 1)) / (counts[k] + 1);
  const values = [network.x, ...forward.layers.map(({ a }) => a)];
  const picture = svg("svg", {
    class: "graph",
    viewBox: `0 0 ${W} ${H}`,
    role: "img",
    "aria-label": `network ${counts.join(" - ")}`,
  });
  counts.slice(1).forEach((units, k) => {
    for (let i = 0; i < counts[k]; i++) {
      for (let j = 0; j < units; j++) {
        const lit = now.layer === k && now.unit === j && (now.cell === "z" || (now.cell === "dW" && now.input === i));
        picture.append(
          svg("line", {
            x1: px(k),
            y1: py(k, i),
            x2: px(k + 1),
            y2: py(k + 1, j),
            class: lit ? `lit ${now.way}` : "",
          }),
        );
      }
    }
  });
  counts.forEach((units, k) => {
    for (let i = 0; i < units; i++) {
      const lit = now.layer === k - 1 && now.unit === i,
        name = k === counts.length - 1 ? "p" : "a";
      picture.append(
        svg("circle", { cx: px(k), cy: py(k, i), r: 24, class: lit ? `lit ${now.way}` : "" }),
        svg(
          "text",
          { x: px(k), y: py(k, i) + 4, "text-anchor": "middle" },
          !k || known(name, k - 1, i) ? shown(values[k][i]) : "",
        ),
      );
    }
  });
  return picture;
}
