// The time limit of a verdict, in real time and on a busy machine.

interface Keepalive {
  readonly pingInterval: number;
  readonly pingTimeout: number;
}

/** The delay that timers, processes and sockets of a busy machine may add, in milliseconds. */
const TOLERANCE = 20_000;

/**
 * Milliseconds from the peer's last sign of life. An end that did not run for a while (`longestStall`)
 * rightly gives the peer another whole `pingTimeout`, up to three times.
 */
export function verdictBound({ pingInterval, pingTimeout }: Keepalive, longestStall: number): number {
  return pingInterval + pingTimeout * (longestStall > 0 ? 4 : 1) + TOLERANCE;
}
