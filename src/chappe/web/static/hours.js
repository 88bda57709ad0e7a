// A week of opening hours, painted with the mouse or the keyboard above its fields; both always say the same.

const DAYS = 7, DAY = 1440, STEP = 30;
const RANGE = /^(\d{1,2})(?:[:hH](\d{2})|[hH])?-(\d{1,2})(?:[:hH](\d{2})|[hH])?$/;

const clock = (minutes) => `${String(Math.trunc(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** The spans that a field says, null where it says anything else. */
function spans(written) {
  const found = [];
  for (const one of written.replace(/\s*[-–—]\s*/g, "-").split(/[,;\s]+/).filter(Boolean)) {
    const told = RANGE.exec(one);
    if (!told) return null;
    const [from, to] = [told[1] * 60 + +(told[2] ?? 0), told[3] * 60 + +(told[4] ?? 0) || DAY];
    if (from >= DAY || to > DAY || from === to || told[2] > 59 || told[4] > 59) return null;
    found.push([from, to]);
  }
  return found;
}

export function paintWeek() {
  const box = document.querySelector("[data-week]");
  const { partly, open: opened, closed, label } = box.dataset;
  const form = box.closest("form");
  const fields = [...Array(DAYS).keys()].map((day) => form.elements[`day-${day}`]);
  const names = fields.map((field) => field.labels[0].textContent.trim());
  const spoken = document.getElementById("spoken");
  let week = new Uint8Array(DAYS * DAY); // 1 for each minute that is open

  const grid = document.createElement("table");
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-multiselectable", "true");
  grid.setAttribute("aria-label", label);
  grid.setAttribute("aria-describedby", "week-how");
  const head = grid.createTHead().insertRow();
  head.append(document.createElement("td"));
  for (let hour = 0; hour < 24; hour += 2) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.colSpan = 4;
    cell.textContent = clock(hour * 60);
    head.append(cell);
  }
  const body = grid.createTBody();
  const cells = names.map((name, day) => {
    const row = body.insertRow();
    const title = document.createElement("th");
    title.scope = "row";
    title.textContent = name;
    row.append(title);
    return [...Array(DAY / STEP).keys()].map((at) => {
      const cell = row.insertCell();
      cell.setAttribute("role", "gridcell");
      cell.tabIndex = day || at !== 18 ? -1 : 0; // one stop for the Tab key: Monday at nine
      cell.dataset.day = day;
      cell.dataset.at = at;
      return cell;
    });
  });

  function read() {
    week.fill(0);
    fields.forEach((field, day) => {
      const found = spans(field.value);
      if (found) field.removeAttribute("aria-invalid"); else field.setAttribute("aria-invalid", "true");
      for (const [from, to] of found ?? []) {
        const first = day * DAY + from, last = day * DAY + (to > from ? to : to + DAY);
        for (let minute = first; minute < last; minute++) week[minute % week.length] = 1;
      }
    });
    show();
  }

  function write() {
    fields.forEach((field, day) => {
      const found = [];
      for (let minute = 0, from = -1; minute <= DAY; minute++) {
        const isOpen = minute < DAY && week[day * DAY + minute];
        if (isOpen && from < 0) from = minute;
        if (!isOpen && from >= 0) { found.push(`${clock(from)}–${clock(minute)}`); from = -1; }
      }
      field.value = found.join(", ");
      field.removeAttribute("aria-invalid");
    });
    show();
  }

  function show() {
    cells.forEach((row, day) => row.forEach((cell, at) => {
      const from = day * DAY + at * STEP;
      const minutes = week.subarray(from, from + STEP).reduce((sum, one) => sum + one, 0);
      cell.setAttribute("aria-selected", minutes === STEP ? "true" : "false");
      cell.classList.toggle("partly", minutes > 0 && minutes < STEP);
      cell.setAttribute("aria-label", `${names[day]} ${clock(at * STEP)}${minutes > 0 && minutes < STEP ? `, ${partly}` : ""}`);
    }));
  }

  /** Paint all between two cells, on a copy of the week as it was before. */
  function paint(from, to, value, before) {
    week.set(before);
    const [top, bottom] = [from.day, to.day].sort((a, b) => a - b);
    const [left, right] = [from.at, to.at].sort((a, b) => a - b);
    for (let day = top; day <= bottom; day++) week.fill(value, day * DAY + left * STEP, day * DAY + (right + 1) * STEP);
    write();
    const days = top === bottom ? names[top] : `${names[top]} – ${names[bottom]}`;
    return `${days} ${clock(left * STEP)}–${clock((right + 1) * STEP)} ${value ? opened : closed}`;
  }

  const place = (cell) => ({ day: +cell.dataset.day, at: +cell.dataset.at });
  const isOpen = (cell) => cell.getAttribute("aria-selected") === "true";

  function go(cell) {
    grid.querySelector("[tabindex='0']").tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  }

  let stroke = null; // where it began, what it paints, the week before
  const begin = (cell) => { stroke = { from: place(cell), value: isOpen(cell) ? 0 : 1, before: week.slice() }; };

  body.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest("[role=gridcell]");
    if (!cell || event.button) return;
    event.preventDefault();
    cell.releasePointerCapture?.(event.pointerId);
    go(cell);
    begin(cell);
    stroke.told = paint(stroke.from, stroke.from, stroke.value, stroke.before);
  });
  body.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("[role=gridcell]");
    if (cell && stroke?.told && event.buttons) stroke.told = paint(stroke.from, place(cell), stroke.value, stroke.before);
  });
  addEventListener("pointerup", () => {
    if (stroke?.told) spoken.textContent = stroke.told;
    stroke = null;
  });

  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  body.addEventListener("keydown", (event) => {
    const cell = event.target.closest("[role=gridcell]");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const { day, at } = place(cell);
    if (event.key === " " || event.key === "Enter") {
      begin(cell);
      spoken.textContent = paint(stroke.from, stroke.from, stroke.value, stroke.before);
      stroke.value = isOpen(cell) ? 1 : 0; // what Shift and the arrows go on with
    } else if (MOVES[event.key] || event.key === "Home" || event.key === "End") {
      const [down, right] = MOVES[event.key] ?? [0, event.key === "Home" ? -at : cells[day].length];
      const next = cells[Math.min(DAYS - 1, Math.max(0, day + down))][Math.min(cells[day].length - 1, Math.max(0, at + right))];
      if (!event.shiftKey) stroke = null;
      else {
        if (!stroke) stroke = { from: { day, at }, value: isOpen(cell) ? 1 : 0, before: week.slice() };
        spoken.textContent = paint(stroke.from, place(next), stroke.value, stroke.before);
      }
      go(next);
    } else return;
    event.preventDefault();
  });

  for (const field of fields) field.addEventListener("input", read);
  const frame = document.createElement("div");
  frame.className = "week";
  frame.append(grid);
  box.append(frame);
  box.hidden = false;
  frame.scrollLeft = cells[0][14].offsetLeft - cells[0][0].offsetLeft; // where it is narrow: days begin at seven
  read();
}
