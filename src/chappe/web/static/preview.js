// The widget as it will look, beside the fields that make it: asked of the server as one types.

async function sheetOf(address) {
  const sheet = new CSSStyleSheet();
  if (address) sheet.replaceSync(await (await fetch(address, { credentials: "same-origin" })).text());
  return sheet;
}

export async function previewForm() {
  const form = document.querySelector("form[data-preview]");
  const place = document.getElementById("preview-place");
  if (!form || !place) return;
  const root = place.attachShadow({ mode: "open" });
  const box = document.createElement("div");
  root.append(box);
  root.adoptedStyleSheets = await Promise.all([sheetOf(place.dataset.style), sheetOf(place.dataset.own)]);
  const closed = document.getElementById("preview-closed");
  let timer = 0;
  let asked = 0;
  const show = async () => {
    const body = new URLSearchParams(new FormData(form));
    if (closed.checked) body.set("preview", "closed");
    const number = ++asked;
    const answer = await fetch(form.dataset.preview, { method: "POST", body, credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || number !== asked) return; // a later one is on its way
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".chappe");
    if (fresh) box.replaceChildren(fresh);
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(show, 200); };
  form.addEventListener("input", later);
  closed.addEventListener("change", show);
  show();
}
