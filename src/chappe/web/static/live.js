// Follows the account's events and brings the parts marked data-live up to date.
import { merge } from "./merge.js";
import { ageTimes } from "./times.js";

const parser = new DOMParser();
let running = null;
let wanted = false;

/** Take the parts marked data-live (or everything in `also`) from a page's text into this one. */
export function take(text) {
  const fresh = parser.parseFromString(text, "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    if (part.parentElement.closest("[data-live]")) continue;
    const next = part.id && fresh.getElementById(part.id);
    if (next) merge(part, next);
  }
  ageTimes();
  document.dispatchEvent(new Event("taken"));
  return fresh;
}

/** Fetch this page again and take its live parts; calls that come meanwhile are joined into one more. The
 * answer to a form stands at an address that cannot be asked for, and names another in data-again. */
export async function refresh() {
  if (running) { wanted = true; return running; }
  running = (async () => {
    do {
      wanted = false;
      const answer = await fetch(document.documentElement.dataset.again ?? location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (answer.redirected && new URL(answer.url).pathname === "/login") return location.reload();
      if (answer.ok) take(await answer.text());
    } while (wanted);
  })().catch(() => {}).finally(() => { running = null; });
  return running;
}

/** Listen while the page is seen; a hidden one gives its connection back and catches up when shown. */
export function follow() {
  if (!document.querySelector("[data-live]") || !document.querySelector(".shell")) return;
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(document.documentElement.dataset.wire ?? "/live");
    source.addEventListener("changed", refresh);
    source.addEventListener("open", refresh); // what happened between the page and its wire
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) { source = null; setTimeout(open, 5000); }
    });
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { source?.close(); source = null; } else open();
  });
  addEventListener("pagehide", () => { source?.close(); source = null; });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
