// Tells the server the reader's zone, and lets "3 min ago" grow older without asking again.

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const language = document.documentElement.lang;
const words = new Intl.RelativeTimeFormat(language, { style: "short" });

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const form = (options) => new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { timeZone: zone, ...options });
const DATE = { day: "numeric", month: "short" };
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const day = form({ ...DATE, year: "numeric" });
const SHAPES = {
  clock: [form(CLOCK), form(DATE)],
  exact: [form({ ...CLOCK, second: "2-digit" }), day],
  title: [form({ ...CLOCK, second: "2-digit" }), form({ ...DATE, month: "long", year: "numeric" })],
};

export function tellZone() {
  const told = document.cookie.split("; ").find((pair) => pair.startsWith("zone="))?.slice(5);
  if (zone && told !== encodeURIComponent(zone)) {
    document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
  }
}

/** Until the server knows the zone, or when the reader travelled: write the times of the page anew. */
function moveTimes() {
  for (const told of document.querySelectorAll("[data-zone]")) told.textContent = zone;
  const today = day.format(new Date());
  for (const element of document.querySelectorAll("time[title]")) {
    if (element.title.endsWith(`(${zone})`)) continue;
    const moment = new Date(element.dateTime);
    const written = (shape) => shape.map((part) => part.format(moment));
    const [time, date] = written(SHAPES.title);
    element.title = `${date}, ${time} (${zone})`;
    const shape = SHAPES[Object.keys(element.dataset)[0]];
    if (!shape) continue;
    const [clock, on] = written(shape);
    element.textContent = day.format(moment) === today ? clock : `${on}, ${clock}`;
  }
}

export function ageTimes() {
  if (zone) moveTimes();
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const seconds = (Date.parse(element.dateTime) - Date.now()) / 1000;
    if (Math.abs(seconds) > 7 * 86400 || Math.abs(seconds) < 5) continue;
    const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
    const shown = words.format(Math.trunc(seconds / size), unit);
    if (element.textContent !== shown) element.textContent = shown;
  }
}

export function keepTimes() {
  ageTimes();
  setInterval(() => { if (!document.hidden) ageTimes(); }, 10000);
}
