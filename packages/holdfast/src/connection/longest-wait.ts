// How long a closing handshake may wait for the application.

import type { ConnectionSettings } from "./options.js";

/**
 * Milliseconds that a closing handshake may wait for something else. With a `closeTimeout` that is half of it, and the round
 * trip to the peer has the rest.
 */
export function longestWait({ closeTimeout }: Pick<ConnectionSettings, "closeTimeout">): number {
  return closeTimeout === null ? 5_000 : closeTimeout / 2;
}
