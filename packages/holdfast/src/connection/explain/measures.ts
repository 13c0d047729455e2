// Formats durations and sizes for people.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Milliseconds as "400 ms", "2.2 s", "350 s" or "12 min". */
export function duration(milliseconds: number): string {
  const whole = Math.round(milliseconds);
  if (whole < SECOND) return `${whole} ms`;
  if (whole < 100 * SECOND) return `${Number((whole / SECOND).toFixed(1))} s`;
  return whole < 10 * MINUTE ? `${Math.round(whole / SECOND)} s` : `${Math.round(whole / MINUTE)} min`;
}

/** A size as "500 bytes", "64 KB" or "2.5 MB". */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${Number((bytes / 1024 / 1024).toFixed(1))} MB`;
}
