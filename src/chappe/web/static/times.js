// Tells the server the reader's zone, and lets "3 min ago" grow older without asking again.

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short" });

export function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const told = document.cookie.split("; ").find((pair) => pair.startsWith("zone="))?.slice(5);
  if (zone && told !== encodeURIComponent(zone)) {
    document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
  }
}

export function ageTimes() {
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
