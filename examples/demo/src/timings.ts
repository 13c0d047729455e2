// How fast the story goes. All times are milliseconds.

/** What Holdfast does where nobody says otherwise. */
export const DEFAULTS = { pingInterval: 20_000, pingTimeout: 20_000 } as const;

/** The client's keepalive here. */
export const CLIENT = { pingInterval: 250, pingTimeout: 2_000 } as const;

/** The server's: more patient, since it cannot know why a client that blocks its own event loop is silent. */
export const SERVER = { pingInterval: 250, pingTimeout: 4_000 } as const;

/** How long a byte is on its way through the proxy while all is well. */
export const DISTANCE = 10;

/** How much later than promised something may be seen: this machine may have more to do than tell stories. */
export const TOLERANCE = 500;

/** When a peer that fell silent is declared dead at the latest. */
export function verdictBound(keepalive: {
  readonly pingInterval: number;
  readonly pingTimeout: number;
}): number {
  return keepalive.pingInterval + keepalive.pingTimeout;
}
