// The keyboard: / to the filter, j and k through the lines, g and a letter to a section, ? for help.

const SECTIONS = { t: "/telephones", m: "/messages", c: "/calls", b: "/callbacks", l: "/lines", n: "/numbers", s: "/subscriptions", a: "/account", w: "/network" };

const writing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

export function listenToKeys() {
  const help = document.getElementById("keys");
  let going = 0;
  document.addEventListener("keydown", (event) => {
    const area = event.target.closest?.("[data-enter-sends]");
    if (area && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      area.form.requestSubmit();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
    if (event.key === "/") {
      const filter = document.querySelector("[data-filter], [data-filter-focus]");
      if (filter) { event.preventDefault(); filter.focus(); filter.select(); }
    } else if (event.key === "?") {
      event.preventDefault();
      help.open ? help.close() : help.showModal();
    } else if (event.key === "g") {
      going = event.timeStamp;
      return;
    } else if (going && event.timeStamp - going < 1500 && document.querySelector(`.nav a[href="${SECTIONS[event.key]}"]`)) {
      location.href = SECTIONS[event.key];
    } else if (event.key === "j" || event.key === "k") {
      const lines = [...document.querySelectorAll("a.cover")];
      if (!lines.length) return;
      const here = lines.indexOf(document.activeElement);
      const next = here < 0 ? 0 : Math.min(lines.length - 1, Math.max(0, here + (event.key === "j" ? 1 : -1)));
      lines[next].focus();
    }
    going = 0;
  });
}
