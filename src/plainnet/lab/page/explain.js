// Explain: a figure opens on a click and shows its formula, its numbers, and the source line that computes it.

import { html } from "./dom.js";
import { attempt, get } from "./wire.js";

const dialog = html("dialog", { "aria-label": "Formula" });
document.body.append(dialog);
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

async function open(key, numbers) {
  const found = await attempt(get("/api/formula", { of: key }));
  if (!found) return;
  const source = html(
    "pre",
    { tabindex: 0 },
    ...found.source
      .split("\n")
      .map((line, i) =>
        html("span", { class: i === found.at ? "computes" : "" }, `${i === found.at ? "> " : "  "}${line}\n`),
      ),
  );
  const close = html("button", { type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(
    html("h2", {}, found.title),
    html("p", {}, html("code", {}, found.formula)),
    ...[numbers]
      .flat()
      .filter(Boolean)
      .map((text) => html("p", { class: "numbers" }, text)),
    html("p", { class: "soft" }, found.says),
    html("p", {}, html("b", {}, `${found.file}, line ${found.line}`)),
    source,
    close,
  );
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

// A figure as a button: `key` names its formula, `numbers` returns the formula with its actual numbers.
export function explained(text, key, numbers = () => "") {
  const made = html("button", { type: "button", class: "number", title: "Formula and source" }, text);
  made.addEventListener("click", () => open(key, numbers()));
  return made;
}
