const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The milliseconds that `Retry-After` (RFC 9110, section 10.2.3) says; a date counts from the answer's own `Date`. */
export function retryAfterMs(value: string | undefined, date: string | undefined): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const until = parseDate(text);
  const now = parseDate(date ?? "");
  return until === undefined || now === undefined ? undefined : Math.max(until - now, 0);
}

/** Milliseconds since 1970 of an IMF-fixdate (RFC 9110, section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
function parseDate(text: string): number | undefined {
  const found = text.match(/^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/);
  const [day, year, hour, minute, second] = [1, 3, 4, 5, 6].map((part) => Number(found?.[part]));
  const month = MONTHS.indexOf(found?.[2] ?? "");
  if (!found || month < 0 || day === undefined || year === undefined || hour === undefined) return undefined;
  if (day < 1 || day > 31 || hour > 23 || (minute ?? 0) > 59 || (second ?? 0) > 60) return undefined;
  return Date.UTC(year, month, day, hour, minute, second);
}
