// Stories, with a button for each; and the talk, a presentation of views that the user has kept.

import { html } from "./dom.js";
import { attempt, post, state } from "./wire.js";

// Go to a story: start its training runs, unless they are already there.
export async function goTo(about, hash) {
  const key = new URLSearchParams(hash).get("story"),
    story = about.stories[key];
  if (story?.trains && state()?.story !== key) {
    if (!(await attempt(post("/api/train", { do: "story", story: key })))) return;
    about.given = false;
  }
  location.hash = `#${hash}`;
}

export const addressOf = (about, key) => `${about.stories[key].address}&story=${key}`;

export function storyCard(about) {
  if (!Object.keys(about.stories).length) return "";
  return html(
    "section",
    { class: "card whole side-matter", "aria-label": "Stories" },
    html("h2", {}, "Stories"),
    html(
      "div",
      { class: "row" },
      ...Object.entries(about.stories).map(([key, story]) => {
        const made = html("button", { type: "button", title: story.tells }, story.title);
        made.addEventListener("click", async () => {
          if (story.trains && state()?.story === key) await attempt(post("/api/train", { do: "story", story: key }));
          await goTo(about, addressOf(about, key));
          document.getElementById("telling").scrollIntoView({ block: "nearest" });
        });
        return made;
      }),
    ),
  );
}

// A talk: larger type, no side matter; the arrow keys go through the kept views, or through the stories.
export function talk(about, address) {
  const kept = () => {
    try {
      return JSON.parse(localStorage.getItem("talk")) ?? [];
    } catch {
      return [];
    }
  };
  const views = () => (kept().length ? kept() : Object.keys(about.stories).map((key) => addressOf(about, key)));
  const bar = html("nav", { id: "talk", "aria-label": "Talk" }),
    place = html("span", { "aria-live": "polite" });
  const button = (text, title, does) => {
    const made = html("button", { type: "button", title }, text);
    made.addEventListener("click", does);
    return made;
  };
  let at = 0;

  const walk = (by) => {
    at = Math.min(Math.max(at + by, 0), Math.max(0, views().length - 1));
    if (!views().length) return;
    const hash = new URLSearchParams(views()[at]);
    hash.set("present", "1");
    goTo(about, String(hash));
    place.textContent = `${at + 1} of ${views().length}`;
    scrollTo(0, 0);
  };
  const show = () => {
    const on = address.get("present") === "1";
    if ((document.documentElement.dataset.present === "1") === on) return;
    if (on) document.documentElement.dataset.present = "1";
    else delete document.documentElement.dataset.present;
    const current = new URLSearchParams(location.hash.slice(1));
    current.delete("present");
    at = Math.max(0, views().indexOf(String(current)));
    place.textContent = `${at + 1} of ${views().length}`;
    bar.hidden = !on;
  };
  const turn = (on) => {
    address.set({ present: on ? "1" : null });
    show();
    dispatchEvent(new Event("resize"));
  };

  bar.append(
    button("←", "The previous view", () => walk(-1)),
    place,
    button("→", "The next view", () => walk(1)),
    button("End", "Leave the talk", () => turn(false)),
  );
  bar.hidden = true;
  document.body.append(bar);
  document.getElementById("keep").addEventListener("click", (event) => {
    const hash = location.hash.slice(1);
    if (kept().at(-1) !== hash) localStorage.setItem("talk", JSON.stringify([...kept(), hash]));
    event.target.textContent = `Kept: ${kept().length}`;
  });
  document.getElementById("forget").addEventListener("click", () => {
    localStorage.removeItem("talk");
    document.getElementById("keep").textContent = "Keep this view";
  });
  if (kept().length) document.getElementById("keep").textContent = `Kept: ${kept().length}`;
  document.getElementById("present").addEventListener("click", () => turn(true));
  addEventListener("keydown", (event) => {
    if (address.get("present") !== "1" || event.target.closest("input, select, textarea, canvas, dialog")) return;
    const by = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      walk(by);
    }
    if (event.key === "Escape") turn(false);
  });
  addEventListener("hashchange", show);
  if (new URLSearchParams(location.search).has("present")) address.set({ present: "1" });
  show();
}
