// The frame: which view is shown, as the address says, and the theme.

import { attempt, get, keepWatching, tell, watch } from "./wire.js";
import { draw } from "./draw.js";
import { train } from "./train.js";
import { step } from "./stepping.js";
import { mistakes } from "./mistakes.js";

const VIEWS = { draw, train, step, mistakes };
const main = document.getElementById("view");
let about = null, leave = () => {}, shown = null;

// The address holds the state: #view=draw&strokes=...; views write to it without a step in the history.
export const address = {
  get: (name) => new URLSearchParams(location.hash.slice(1)).get(name),
  set(values) {
    const all = new URLSearchParams(location.hash.slice(1));
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === "") all.delete(name);
      else all.set(name, value);
    }
    history.replaceState(null, "", `#${all}`);
  },
};

function show() {
  const name = address.get("view") in VIEWS ? address.get("view") : "draw";
  if (name === shown) return;
  shown = name;
  leave();
  tell("");
  main.replaceChildren();
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#view=${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${name[0].toUpperCase() + name.slice(1)} - plainnet lab`;
  leave = VIEWS[name](main, about, address) ?? (() => {});
}

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.dispatchEvent(new Event("theme"));
});

about = await attempt(get("/api/about"));
if (about) {
  const named = document.getElementById("model");
  watch(({ trials, running }) => {
    const [first] = trials;
    const accuracy = first?.history.at(-1)?.validation_accuracy;
    named.textContent = first
      ? `${trials.map((one) => one.name).join(" and ")}: epoch ${Math.min(first.epoch, first.epochs)} of ${first.epochs}${accuracy ? `, ${(100 * accuracy).toFixed(2)} %` : ""}${running ? "" : first.ended ? ", done" : ", paused"}`
      : `model: ${about.model}`;
  });
  if (about.given) named.textContent = `model: ${about.model}`;
  show();
  addEventListener("hashchange", () => {
    if (address.get("view") === shown) { shown = null; }
    show();
  });
  keepWatching();
}
