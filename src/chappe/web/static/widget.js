// The callback widget on a shop's page: a button or a plain link opens a form of ours; what it shows is made by
// the server. FORM stands before this text where it is served: the form's address, words and look.
(() => {
  const parser = new DOMParser();
  const ask = (address, options) => {
    const url = new URL(address);
    url.searchParams.set("part", "1");
    if (FORM.language) url.searchParams.set("language", FORM.language);
    return fetch(url, { credentials: "omit", ...options }).then((answer) => answer.text());
  };

  /** Let a form live inside `root`: send it, show what comes, follow what happens. */
  function enliven(root, spoken) {
    let timer = 0;
    const show = (text) => {
      const fresh = parser.parseFromString(text, "text/html").querySelector(".chappe");
      const shown = root.querySelector(".chappe");
      if (!fresh) throw new Error("no form came");
      const held = root.activeElement?.id ?? document.activeElement.id;
      const said = fresh.querySelector("[data-said]")?.textContent.trim() ?? "";
      if (shown && shown.outerHTML === fresh.outerHTML) return follow(shown);
      const arrived = document.importNode(fresh, true);
      shown ? shown.replaceWith(arrived) : root.append(arrived);
      if (said !== spoken.textContent) spoken.textContent = said;
      const wrong = arrived.querySelector("[aria-invalid]");
      (wrong ?? arrived.querySelector(`#${held || "chappe-title"}`) ?? arrived.querySelector("h2")).focus();
      follow(arrived);
    };
    const failed = () => {
      spoken.textContent = FORM.offline;
      const place = root.querySelector(".chappe-trouble");
      if (place) place.textContent = FORM.offline;
    };
    const follow = (shown) => {
      clearTimeout(timer);
      if (!shown.dataset.again) return;
      timer = setTimeout(() => {
        if (document.hidden) return follow(shown);
        ask(shown.dataset.from).then(show).catch(() => { failed(); follow(shown); });
      }, +shown.dataset.again);
    };
    root.addEventListener("submit", (event) => {
      const form = event.target;
      if (form.method === "dialog") return;
      event.preventDefault();
      const button = form.querySelector("button");
      const body = new URLSearchParams(new FormData(form));
      if (button.disabled) return;
      button.disabled = true;
      ask(form.action, { method: "POST", body }).then(show).catch(failed).finally(() => { button.disabled = false; });
    });
    const shown = root.querySelector(".chappe");
    if (shown) follow(shown);
    return { open: () => ask(FORM.address).then(show).catch(failed) };
  }

  /** The launcher and the dialog, in a shadow where the shop's style does not reach. */
  function place() {
    const host = document.createElement("div");
    host.lang = FORM.written;
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [STYLE, FORM.style].map((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    });
    const make = (name, given, ...inside) => {
      const element = Object.assign(document.createElement(name), given);
      element.append(...inside);
      return element;
    };
    const launcher = make("button", { type: "button", className: "chappe-launcher", textContent: FORM.label });
    const leave = make("button", { className: "chappe-close", textContent: "\u00d7" });
    leave.setAttribute("aria-label", FORM.close);
    const trouble = make("p", { className: "chappe-trouble" });
    const spoken = make("p", { className: "chappe-unseen" });
    spoken.setAttribute("role", "status");
    const dialog = make("dialog", {}, make("form", { method: "dialog" }, leave), trouble, spoken);
    dialog.setAttribute("aria-label", FORM.name);
    root.append(launcher, dialog);
    document.body.append(host);

    const links = () => document.querySelectorAll(`a[href^="${FORM.address}"]`);
    launcher.hidden = links().length > 0;
    // enliven() looks for its form in the dialog; what has the focus is known to the shadow alone.
    Object.defineProperty(dialog, "activeElement", { get: () => root.activeElement });
    const form = enliven(dialog, spoken);
    const open = () => {
      trouble.textContent = "";
      dialog.showModal();
      if (!dialog.querySelector(".chappe[data-again]")) form.open();
    };
    launcher.addEventListener("click", open);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link || ![...links()].includes(link) || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      open();
    });
  }

  const start = () => {
    const page = document.getElementById("chappe-page"); // a page of ours has its form already
    page ? enliven(page, document.getElementById("chappe-spoken")) : place();
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
})();
