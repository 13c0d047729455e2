/**
 * The delay of a `Retry-After` field (RFC 9110 section 10.2.3), in milliseconds from `wallNow` (milliseconds since 1970).
 * 0 for a date in the past; null for a missing or invalid value.
 */
export function parseRetryAfter(value: string | null, wallNow: number): number | null {
  if (value === null) return null;
  const wait = /^[0-9]+$/.test(value) ? Number(value) * 1000 : (parseDate(value, wallNow) ?? NaN) - wallNow;
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}

/** An HTTP date in any of its three formats (RFC 9110 section 5.6.7), in milliseconds since 1970. */
function parseDate(text: string, wallNow: number): number | null {
  const parts = (IMF_FIXDATE.exec(text) ?? RFC_850_DATE.exec(text) ?? ASCTIME_DATE.exec(text))?.groups;
  if (parts === undefined) return null;
  const { year = "", month = "", day = "", hour = "", minute = "", second = "" } = parts;
  const fullYear = year.length === 2 ? nearestYear(Number(year), wallNow) : Number(year);
  const at = [fullYear, MONTHS.indexOf(month), Number(day), Number(hour), Number(minute)] as const;
  // A leap second is the last second of its minute.
  const time = Date.UTC(...at, Math.min(Number(second), 59));
  return isSameDate(new Date(time), at) && Number(second) <= 60 ? time : null;
}

/** RFC 9110 section 5.6.7: a two-digit year that seems more than 50 years ahead is in the past. */
function nearestYear(lastTwoDigits: number, wallNow: number): number {
  const thisYear = new Date(wallNow).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + lastTwoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

/** Rejects dates such as 31 February, which `Date.UTC` would turn into a day of March. */
function isSameDate(
  date: Date,
  [year, month, day, hour, minute]: readonly [number, number, number, number, number],
) {
  return (
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute
  );
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// Sun, 06 Nov 1994 08:49:37 GMT · Sunday, 06-Nov-94 08:49:37 GMT · Sun Nov  6 08:49:37 1994
const IMF_FIXDATE =
  /^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) GMT$/;
const RFC_850_DATE =
  /^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) GMT$/;
const ASCTIME_DATE =
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) (?<year>\d{4})$/;
