// Copy buttons, and numbers that are copied in the form programs take.

const spoken = document.getElementById("spoken");

export function copyButtons() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const area = document.createElement("textarea");
      area.value = button.dataset.copy;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.dataset.copied = "";
    const use = button.querySelector("use");
    const before = use.getAttribute("href");
    use.setAttribute("href", before.replace(/#.*/, "#done"));
    spoken.textContent = spoken.dataset.copied;
    setTimeout(() => { delete button.dataset.copied; use.setAttribute("href", before); spoken.textContent = ""; }, 1500);
  });
}

export function copyNumbers() {
  document.addEventListener("copy", (event) => {
    const chosen = getSelection();
    if (chosen.isCollapsed || event.target.closest?.("input, textarea")) return;
    const element = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
    const number = element(chosen.anchorNode)?.closest("data") ?? element(chosen.focusNode)?.closest("data");
    if (!number || chosen.toString().trim() !== number.textContent.trim()) return;
    event.clipboardData.setData("text/plain", number.value);
    event.preventDefault();
  });
}
