// Numbers, times and sizes for people.

const whole = new Intl.NumberFormat("en");

export function count(value: number): string {
  return whole.format(Math.round(value));
}

/** 950, 1.2 k, 34 k, 5.6 M. */
export function short(value: number): string {
  if (value < 10) return Number(value.toFixed(value < 1 ? 2 : 1)).toString();
  if (value < 10_000) return count(value);
  if (value < 1e6) return `${digits(value / 1e3)} k`;
  return `${digits(value / 1e6)} M`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${Math.round(value)} B`;
  if (value < 1e6) return `${digits(value / 1e3)} kB`;
  if (value < 1e9) return `${digits(value / 1e6)} MB`;
  return `${digits(value / 1e9)} GB`;
}

export function milliseconds(value: number): string {
  if (value >= 10_000) return duration(value);
  return `${value < 1 ? value.toFixed(2) : digits(value)} ms`;
}

/** 12 s, 3 min 20 s, 4 h 5 min, 6 d 7 h. */
export function duration(value: number): string {
  const seconds = Math.max(0, Math.floor(value / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString("en-GB");
}

function digits(value: number): string {
  return value < 10 ? value.toFixed(1) : count(value);
}
