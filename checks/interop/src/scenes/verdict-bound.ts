// When a verdict has to be there, in real time and on a busy machine.

interface Keepalive {
  readonly pingInterval: number;
  readonly pingTimeout: number;
}

/** What timers, processes and sockets of a busy machine may add, in milliseconds. */
const TOLERANCE = 5_000;

/**
 * Milliseconds from the peer's last sign of life. Whoever did not run for a while (`longestStall`) rightly gives the
 * peer a whole `pingTimeout` more, up to three times.
 */
export function verdictBound({ pingInterval, pingTimeout }: Keepalive, longestStall: number): number {
  return pingInterval + pingTimeout * (longestStall > 0 ? 4 : 1) + TOLERANCE;
}
