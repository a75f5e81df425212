// Mistakes: the confusion matrix and the misclassified images; an image opens in Draw.

import { bytes, image, likely, matrix, percent } from "./chart.js";
import { button, html } from "./dom.js";
import { packed } from "./images.js";
import { explained } from "./explain.js";
import { attempt, get } from "./wire.js";

const ORDERS = {
  surest: "most confident mistakes first",
  "least sure": "least confident mistakes first",
  class: "by class",
  "label errors": "most likely mislabeled first",
  disagreement: "where another network disagrees",
};

export function mistakes(main, about, address) {
  const left = html("section", { class: "card whole", "aria-label": "Confusion matrix" }),
    tiles = html("ul", { class: "tiles" });
  const said = html("p", { "aria-live": "polite" });
  const order = html(
    "select",
    { id: "order" },
    ...about.orders.map((name) => html("option", { value: name }, ORDERS[name] ?? name)),
  );
  const other = html("select", { id: "other" }, html("option", { value: "" }, "no other network"));
  const all = button("All cells", () => {
    address.set({ cell: null });
    show();
  });
  order.value = about.orders.includes(address.get("by")) ? address.get("by") : about.orders[0];
  main.append(
    left,
    html(
      "section",
      { class: "card whole", "aria-label": "Images" },
      html("h2", {}, "Images"),
      html(
        "div",
        { class: "row" },
        html("label", { for: "order" }, "Order"),
        order,
        html("label", { for: "other" }, "Compared with"),
        other,
        all,
      ),
      said,
      tiles,
    ),
  );

  async function show() {
    const cell = /^\d+-\d+$/.test(address.get("cell") ?? "") ? address.get("cell").split("-") : null,
      beside = address.get("other");
    said.textContent = "The network is classifying the images.";
    const found = await attempt(
      get("/api/mistakes", {
        by: order.value,
        ...(beside ? { other: beside } : {}),
        ...(cell ? { label: cell[0], answer: cell[1] } : {}),
      }),
    );
    said.textContent = "";
    if (!found) return;
    const { classes, images, part } = found,
      of = found.of.toLocaleString("en"),
      differ = order.value === "disagreement";
    other.replaceChildren(
      html("option", { value: "" }, "no other network"),
      ...found.others.map((name) => html("option", { value: name }, name)),
    );
    other.value = found.other ?? "";
    left.replaceChildren(
      html(
        "h2",
        {},
        explained(
          `${found.right.toLocaleString("en")} of ${of} ${part} images`,
          "accuracy",
          () => `${found.right} / ${found.of} = ${percent(found.right / found.of, 2)}`,
        ),
        " are classified correctly",
      ),
      ...(found.steps === null
        ? []
        : [
            html(
              "p",
              {},
              `After batch ${found.steps.toLocaleString("en")} of the training. `,
              button("Count again", show),
            ),
          ]),
      ...(found.views > 1
        ? [
            html(
              "p",
              { class: "soft" },
              `Counted with one view of each image; elsewhere, the network averages its answers over ${found.views} shifted views.`,
            ),
          ]
        : []),
      ...(part === "test"
        ? [
            html(
              "p",
              { class: "soft" },
              "A network shown here was trained on the validation images as well, so these are test images. Do not use them to choose a model or a setting.",
            ),
          ]
        : []),
      ...(found.other
        ? [
            html(
              "p",
              {},
              `${found.other} classifies ${found.other_right.toLocaleString("en")} of the same images correctly.`,
            ),
          ]
        : []),
      html(
        "p",
        { class: "soft" },
        "Rows: the true class. Columns: the predicted class. Click a number to see its images.",
      ),
      matrix("Confusion matrix", found.confusion, classes, (i, j) => {
        address.set({ cell: `${i}-${j}` });
        show();
      }),
      explained("How it is counted", "confusion"),
    );
    said.replaceChildren(
      `${found.count.toLocaleString("en")} ${differ ? `images that ${found.other} classifies differently` : "mistakes"}` +
        `${cell ? `: ${classes[cell[0]]} classified as ${classes[cell[1]]}` : ""}${found.count > images.length ? `; ${images.length} shown` : ""}. `,
      ...(order.value === "label errors"
        ? [explained("The list begins with the labels that are most likely wrong.", "label errors")]
        : []),
    );
    tiles.replaceChildren(
      ...images.map((one) => {
        const text = `${one.label} classified as ${one.answer}, ${likely(one.share)}${one.other ? `; ${found.other}: ${one.other}, ${likely(one.other_share)}` : ""}`;
        const open = () => {
          location.hash = `#${new URLSearchParams({ view: "draw", pixels: packed(bytes(one.pixels)), label: one.label })}`;
        };
        const made = button(image(bytes(one.pixels), 28, 28, ""), open, { "aria-label": `${text}; open it in Draw` });
        made.append(text);
        return html("li", {}, made);
      }),
    );
  }

  order.addEventListener("change", () => {
    address.set({ by: order.value });
    show();
  });
  other.addEventListener("change", () => {
    address.set({ other: other.value || null });
    show();
  });
  show();
}
