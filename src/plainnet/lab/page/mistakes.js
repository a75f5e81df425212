// Mistakes: the confusion matrix on the left, images on the right; an image opens in Draw.

import { bytes, html, image, likely, matrix } from "./chart.js";
import { attempt, get } from "./wire.js";

export function mistakes(main, about, address) {
  const left = html("section", { class: "card whole", "aria-label": "Confusion matrix" }), tiles = html("ul", { class: "tiles" });
  const said = html("p", { "aria-live": "polite" });
  const order = html("select", { id: "order" }, ...about.orders.map((name) => html("option", { value: name }, name)));
  const all = html("button", { type: "button" }, "All mistakes");
  order.value = about.orders.includes(address.get("by")) ? address.get("by") : about.orders[0];
  main.append(left, html("section", { class: "card whole", "aria-label": "Images" }, html("h2", {}, "Images"),
    html("div", { class: "row" }, html("label", { for: "order" }, "Sorted by"), order, all), said, tiles));

  async function show() {
    const cell = /^\d+-\d+$/.test(address.get("cell") ?? "") ? address.get("cell").split("-") : null;
    said.textContent = "The validation images are being answered.";
    const found = await attempt(get("/api/mistakes", { by: order.value, ...(cell ? { label: cell[0], answer: cell[1] } : {}) }));
    said.textContent = "";
    if (!found) return;
    left.replaceChildren(html("h2", {}, `${found.right.toLocaleString("en")} of ${found.of.toLocaleString("en")} validation images are recognized`),
      html("p", { class: "soft" }, "Rows: what it is. Columns: what it was taken for. Choose a number to see its images."),
      matrix("Confusion matrix", found.confusion, found.classes, (i, j) => { address.set({ cell: `${i}-${j}` }); show(); }));
    const number = cell ? found.confusion[cell[0]][cell[1]] : found.of - found.right;
    said.textContent = `${number} mistakes${number > found.images.length ? `, the first ${found.images.length}` : ""}${cell ? ` of ${found.classes[cell[0]]} taken for ${found.classes[cell[1]]}` : ""}${order.value === "label errors" ? ": the first are those whose label may be wrong" : ""}.`;
    tiles.replaceChildren(...found.images.map((one) => {
      const text = `${one.label} taken for ${one.answer}, ${likely(one.share)}`;
      const button = html("button", { type: "button", "aria-label": `${text}; open it in Draw` }, image(bytes(one.pixels), 28, 28, ""), text);
      button.addEventListener("click", () => { sessionStorage.setItem("image", one.pixels); location.hash = "#view=draw"; });
      return html("li", {}, button);
    }));
  }

  order.addEventListener("change", () => { address.set({ by: order.value }); show(); });
  all.addEventListener("click", () => { address.set({ cell: null }); show(); });
  show();
}
