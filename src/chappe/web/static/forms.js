// Filters that act as one types, forms that send without leaving the page, and the price of a text.
import { refresh, take } from "./live.js";

function after(milliseconds, act) {
  let timer = 0;
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => act(...given), milliseconds); };
}

export function filterAsTyped() {
  const field = document.querySelector("[data-filter]");
  if (!field) return;
  const list = document.getElementById("list");
  const search = after(120, async () => {
    const address = new URL(field.form.action);
    if (field.value.trim()) address.searchParams.set("q", field.value);
    history.replaceState(null, "", address);
    list.setAttribute("aria-busy", "true");
    await refresh();
    list.setAttribute("aria-busy", "false");
  });
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && field.value) { field.value = ""; search(); event.preventDefault(); }
    if (event.key === "ArrowDown") { document.querySelector("a.cover")?.focus(); event.preventDefault(); }
  });
}

/** A form marked data-quiet is sent in the background; its own element is taken anew from the answer. */
export function quietForms() {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-quiet]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    const box = form.closest("[id]:not(form)");
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    const data = new FormData(form);
    if (event.submitter?.name) data.append(event.submitter.name, event.submitter.value); // which of several
    button.disabled = true;
    try {
      const action = event.submitter?.getAttribute("formaction") ?? form.action;
      const answer = await fetch(action, { method: "POST", body: new URLSearchParams(data), credentials: "same-origin" });
      const fresh = take(await answer.text());
      const next = fresh.getElementById(box.id);
      const same = next?.querySelector(`form[action="${CSS.escape(form.getAttribute("action"))}"]`);
      if (same) {
        const focused = form.contains(document.activeElement) && document.activeElement.id;
        const area = document.activeElement.matches?.("textarea");
        const summary = form.closest("details")?.querySelector("summary");
        const told = next.querySelector("summary");
        if (summary && told) summary.replaceWith(document.importNode(told, true));
        const arrived = document.importNode(same, true);
        form.replaceWith(arrived);
        if (area) arrived.querySelector("textarea").focus();
        else if (focused) document.getElementById(focused)?.focus();
        else ([...arrived.querySelectorAll("button:not([type=button])")].find((one) => one.value === button.value) ?? arrived.querySelector("button:not([type=button])")).focus();
      } else if (!answer.ok) {
        location.reload();
      }
    } catch {
      form.submit();
    } finally {
      button.disabled = false;
    }
  });
}

export function quoteAsTyped() {
  const area = document.querySelector("[data-quote]");
  if (!area) return;
  const ask = after(250, async () => {
    if (!area.value || !area.form.elements.to.value) return;
    const answer = await fetch("/messages/quote", { method: "POST", body: new URLSearchParams(new FormData(area.form)), credentials: "same-origin" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("quote");
    if (fresh) document.getElementById("quote").replaceChildren(...fresh.childNodes);
  });
  area.form.addEventListener("input", ask);
}
