// The callback widget on a shop's page: a button or a plain link opens a form of ours; what it shows is made by
// the server. FORM stands before this text where it is served: the form's address, words and look.
(() => {
  const parser = new DOMParser();

  /** Let a form live inside `root`: send it, show what comes, follow what happens. */
  function enliven(root, spoken, part) {
    let timer = 0;
    const ask = (address, options) => {
      const url = new URL(address);
      url.searchParams.set("part", part);
      if (FORM.language) url.searchParams.set("language", FORM.language);
      return fetch(url, { credentials: "omit", ...options }).then((answer) => answer.text());
    };
    const shown = () => root.querySelector(".chappe");
    const show = (text, moves) => {
      const fresh = parser.parseFromString(text, "text/html").querySelector(".chappe");
      const old = shown();
      if (!fresh) throw new Error("what came is no form");
      if ("failed" in spoken.dataset) { delete spoken.dataset.failed; spoken.textContent = ""; }
      if (old?.outerHTML !== fresh.outerHTML) {
        const focused = root.getRootNode().activeElement;
        const held = old?.contains(focused) && `#${focused.id || "chappe-title"}`;
        old ? old.replaceWith(fresh) : root.prepend(fresh);
        const said = fresh.querySelector("[data-said]")?.textContent.trim() ?? "";
        if (said !== spoken.textContent) spoken.textContent = said;
        if (moves || held) (fresh.querySelector("[aria-invalid]") ?? fresh.querySelector(held || "#chappe-title") ?? fresh.querySelector("#chappe-title")).focus();
      }
      follow();
    };
    const failed = () => { spoken.textContent = FORM.offline; spoken.dataset.failed = ""; };
    const follow = () => {
      clearTimeout(timer);
      const { again, from } = shown()?.dataset ?? {};
      if (!again) return;
      timer = setTimeout(() => {
        if (document.hidden) return follow();
        ask(from).then(show).catch(() => { failed(); follow(); });
      }, +again);
    };
    root.addEventListener("submit", (event) => {
      const form = event.target;
      const button = form.querySelector("button");
      if (form.method === "dialog") return;
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      ask(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) })
        .then((text) => show(text, true)).catch(failed).finally(() => { button.disabled = false; });
    });
    root.addEventListener("click", (event) => {
      if (event.target.closest?.("a[data-anew]")) { event.preventDefault(); anew(); }
    });
    const anew = () => ask(FORM.address).then((text) => show(text, true)).catch(failed);
    follow();
    const keeps = () => shown()?.dataset.again || shown()?.querySelector("form"); // what goes on, what was typed
    return { anew, keeps };
  }

  /** The launcher and the dialog, in a shadow where the shop's style does not reach. */
  function place() {
    const host = document.createElement("chappe-callback"); // a name that no shop's style knows
    host.setAttribute("role", "complementary");
    host.setAttribute("aria-label", FORM.name);
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
    const spoken = make("p", { className: "chappe-spoken" });
    spoken.setAttribute("role", "status");
    const dialog = make("dialog", {}, make("form", { method: "dialog" }, leave), spoken);
    dialog.setAttribute("aria-label", FORM.name);
    root.append(launcher, dialog);
    document.body.append(host);

    const links = () => [...document.querySelectorAll("a[href]")].filter((link) => link.href.split("?")[0] === FORM.address);
    launcher.hidden = links().length > 0;
    const form = enliven(dialog, spoken, "1");
    const open = () => {
      dialog.showModal();
      if (!form.keeps()) form.anew();
    };
    launcher.addEventListener("click", open);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href]");
      if (!links().includes(link) || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      open();
    });
  }

  const start = () => {
    const page = document.getElementById("chappe-page"); // a page of ours has its form already
    page ? enliven(page, document.getElementById("chappe-spoken"), "page") : place();
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
})();
