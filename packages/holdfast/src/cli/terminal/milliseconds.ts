// Durations in milliseconds, for people.

/** With three significant digits, as ping(8) does: 0.123, 1.23, 12.3, 123. */
export function milliseconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}
