// The timing of the demo. All times are milliseconds.

import { slowness } from "holdfast-testkit";

/** Holdfast's defaults. */
export const DEFAULTS = { pingInterval: 20_000, pingTimeout: 20_000 } as const;

/** The client's keepalive in the demo. */
export const CLIENT = { pingInterval: 250, pingTimeout: 2_000 } as const;

/**
 * The server's keepalive is more patient, because the server cannot know why a client that blocks its own
 * event loop is silent.
 */
export const SERVER = { pingInterval: 250, pingTimeout: 4_000 } as const;

/** The normal delay of a byte in the proxy. */
export const DISTANCE = 10;

/** The tolerance for late events: this machine may be busy. */
export const TOLERANCE = 500 * slowness();

/** The latest time at which a peer that fell silent is declared dead. */
export function verdictBound(keepalive: {
  readonly pingInterval: number;
  readonly pingTimeout: number;
}): number {
  return keepalive.pingInterval + keepalive.pingTimeout;
}
