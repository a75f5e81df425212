// The frame of the page: it shows the view that the address names, and switches the theme.

import { attempt, get, keepWatching, tell, watch } from "./wire.js";
import { html } from "./dom.js";
import { draw } from "./draw.js";
import { train } from "./train.js";
import { step } from "./stepping.js";
import { mistakes } from "./mistakes.js";
import { talk } from "./stories.js";

const VIEWS = { draw, train, step, mistakes };
const main = document.getElementById("view"),
  telling = document.getElementById("telling");
let about = null,
  leave = () => {},
  shown = null;

// The address holds the state: #view=draw&strokes=...; views change it without adding to the history.
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

// A view keeps its state while another view is open.
const left = new Map();
for (const link of document.querySelectorAll("nav a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const name = new URLSearchParams(link.hash.slice(1)).get("view");
    if (name === shown) return;
    left.set(shown, location.hash);
    location.hash = left.get(name) ?? link.hash;
  });
}

function show() {
  const name = address.get("view") in VIEWS ? address.get("view") : "draw";
  const story = about.stories[address.get("story")];
  telling.hidden = !story;
  telling.replaceChildren(...(story ? [html("b", {}, story.title), html("br"), story.tells] : []));
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

function stand({ name, epoch, epochs, history, ended }, running) {
  const accuracy = history.at(-1)?.validation_accuracy ?? null,
    state = running && !ended ? "" : ended ? ", done" : ", paused";
  return `${name}: epoch ${epoch} of ${epochs}${accuracy === null ? "" : `, ${(100 * accuracy).toFixed(2)} %`}${state}`;
}

about = await attempt(get("/api/about"));
if (about) {
  const named = document.getElementById("model");
  const given = `model: ${about.opened}${about.accuracy ? `, ${(100 * about.accuracy).toFixed(2)} % on the test images` : ""}`;
  watch(({ trials, running }) => {
    about.given = !trials.length && Boolean(about.opened);
    named.textContent = trials.length ? trials.map((one) => stand(one, running)).join("; ") : about.given ? given : "";
  });
  named.textContent = about.given ? given : "";
  show();
  talk(about, address);
  addEventListener("hashchange", () => {
    if (address.get("view") === shown) {
      shown = null;
    }
    show();
  });
  keepWatching();
}
