// Makes one piece of page equal to a newer one, keeping what the reader has in hand: elements with the
// same id stay the same elements, so fields keep their text, folds their state, screens their place.

const held = (element) => element.contains(document.activeElement) && document.activeElement !== document.body;

const written = (form) => [...form.elements].some((field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.nodeName === "SELECT" ? [...field.options].some((option, index) => option.selected !== (option.defaultSelected || (index === 0 && ![...field.options].some((other) => other.defaultSelected))))
      : field.defaultValue !== undefined && field.value !== field.defaultValue);

function sameKind(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name === "open" && old.nodeName === "DETAILS") continue;
    if (old.getAttribute(name) !== value && !(name === "class" && old.classList.contains("fresh") && old.className.replace(/ ?fresh/, "") === value)) {
      old.setAttribute(name, value);
    }
  }
}

export function merge(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType === Node.TEXT_NODE || old.nodeType === Node.COMMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeName === "FORM" && (held(old) || written(old))) return; // what somebody is writing is theirs
  attributes(old, fresh);
  const byId = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const hold = held(old); // nothing moves under the reader's hands
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const known = next.id ? byId.get(next.id) : null;
    if (known) {
      merge(known, next);
      if (known !== place) {
        if (hold) { byId.delete(next.id); continue; }
        old.insertBefore(known, place);
      } else place = place.nextSibling;
      byId.delete(next.id);
    } else if (!next.id && place && !place.id && sameKind(place, next)) {
      merge(place, next);
      place = place.nextSibling;
    } else {
      const arrived = document.importNode(next, true);
      if (arrived.nodeType === Node.ELEMENT_NODE && next.id) arrived.classList.add("fresh");
      old.insertBefore(arrived, place);
    }
  }
  while (place) {
    const after = place.nextSibling;
    if (!place.id || byId.has(place.id)) place.remove();
    place = after;
  }
}
