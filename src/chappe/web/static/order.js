// Lists whose order is changed by dragging, or with the buttons beside each line; every change is sent at once.

const spoken = document.getElementById("spoken");

async function send(form) {
  const data = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) location.reload(); // what stands there now is what counts
}

function tell(line) {
  const all = [...line.parentElement.children];
  spoken.textContent = `${all.indexOf(line) + 1} / ${all.length}`;
}

export function orderLists() {
  for (const form of document.querySelectorAll("form[data-order]")) {
    const list = form.querySelector("ol");
    let dragged = null;
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button[name=up], button[name=down]");
      if (!button) return;
      event.preventDefault();
      const line = button.closest("li");
      const other = button.name === "up" ? line.previousElementSibling : line.nextElementSibling;
      if (!other) return;
      button.name === "up" ? other.before(line) : other.after(line);
      button.focus();
      tell(line);
      send(form);
    });
    list.addEventListener("dragstart", (event) => {
      dragged = event.target.closest("li");
      dragged.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
    });
    list.addEventListener("dragover", (event) => {
      const over = event.target.closest("li");
      if (!dragged || !over) return;
      event.preventDefault();
      if (over === dragged) return;
      const box = over.getBoundingClientRect();
      event.clientY > box.top + box.height / 2 ? over.after(dragged) : over.before(dragged);
    });
    list.addEventListener("drop", (event) => event.preventDefault());
    list.addEventListener("dragend", () => {
      if (!dragged) return;
      dragged.classList.remove("dragged");
      tell(dragged);
      dragged = null;
      send(form);
    });
  }
}
