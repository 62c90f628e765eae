// Counts, sizes and spans of time as people write them in the language of the page.

const language = document.documentElement.lang;
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const rough = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const UNITS = ["KB", "MB", "GB", "TB"];

export const showCount = (number) => whole.format(number);

/** Decimal units, as file managers and providers count them. */
export function showSize(bytes) {
  if (bytes < 1000) return `${whole.format(bytes)} B`;
  let size = bytes / 1000;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${(unit && size < 99.5 ? rough : whole).format(size)} ${UNITS[unit]}`;
}

/** As coarse as a guess deserves; `say` fills in the page's texts. */
export function showSpan(seconds, say) {
  if (seconds < 90) return say("seconds", { count: Math.max(10, Math.ceil(seconds / 10) * 10) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return say("minutes", { count: minutes });
  const tens = Math.round(minutes / 10) * 10;
  const hours = Math.floor(tens / 60);
  if (hours >= 10 || tens % 60 === 0) return say("hours", { count: showCount(Math.round(minutes / 60)) });
  return say("hours_minutes", { hours, minutes: tens % 60 });
}
