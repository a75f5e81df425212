// Step alone: the lab's view of a small network, in a page that has no server.

import { html } from "./dom.js";
import { step } from "./stepping.js";

const note = html("p", { "aria-live": "polite" });

// The lab would open the formula with its source; here there is no server to ask.
export const explained = () => html("span");
export const tell = (text) => note.replaceChildren(text);
export function unitStep() {}

const held = new URLSearchParams({ net: "2-2-2" });
const address = {
  get: (name) => held.get(name),
  set(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === null) held.delete(name);
      else held.set(name, value);
    }
  },
};
const place = html("div", { class: "view" });
document.getElementById("report").replaceChildren(note, place);
step(place, null, address);
