// The connection between page and lab: requests, and the newest state of the training runs.

const trouble = document.getElementById("trouble");

export function tell(sentence) {
  trouble.textContent = sentence
    ? sentence[0].toUpperCase() + sentence.slice(1) + (/[.?!]$/.test(sentence) ? "" : ".")
    : "";
}

async function answered(request) {
  let response;
  try {
    response = await request;
  } catch (error) {
    throw new Error("the lab does not answer; if it was stopped, its checkpoint is in results/lab", { cause: error });
  }
  if (response.status === 204) return null;
  if (response.ok) return response.json();
  const text = await response.text();
  let sentence = text;
  try {
    sentence = JSON.parse(text).error;
  } catch {
    /* the text is a plain sentence */
  }
  throw new Error(sentence);
}

export const get = (path, query = {}) => answered(fetch(`${path}?${new URLSearchParams(query)}`));

export const post = (path, what) =>
  answered(
    fetch(
      path,
      what instanceof Blob
        ? { method: "POST", body: what }
        : { method: "POST", body: JSON.stringify(what), headers: { "content-type": "application/json" } },
    ),
  );

// Wait for a request; if it fails, show the error and return null.
export async function attempt(promise) {
  try {
    const found = await promise;
    tell("");
    return found;
  } catch (error) {
    tell(error.message);
    return null;
  }
}

// Call `changed` with every newer state of the training runs. Only one request is open at a time.
let newest = null;
const watchers = new Set();
export const state = () => newest;
export function watch(changed) {
  watchers.add(changed);
  if (newest) changed(newest);
  return () => watchers.delete(changed);
}

export async function keepWatching() {
  let wait = 0;
  for (;;) {
    try {
      const found = await get("/api/look", { since: newest?.number ?? 0, wait: 10 });
      if (wait) tell("");
      wait = 0;
      if (found) {
        newest = found;
        for (const changed of [...watchers]) changed(found);
      }
      if (document.hidden)
        await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
    } catch (error) {
      tell(error.message);
      wait = Math.min(5000, wait * 2 || 500);
      await new Promise((done) => setTimeout(done, wait));
      if (error.message.includes("does not answer")) newest = newest && { ...newest, number: 0 };
    }
  }
}
