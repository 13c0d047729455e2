// `persist()`: a client's events, without an end.

import { checkOptionNames } from "../shared/option-names.js";
import type { ClientEvent } from "./events.js";
import { eventsAcrossAttempts, type ClientBase } from "./client-base.js";
import { PERSIST_OPTIONS, type PersistOptions } from "./retry/persist-options.js";

/**
 * Keeps a client connected: the events of one attempt after the other, and between two of them `backOff`.
 *
 * It ends when `signal` aborts, when the client is closed (`client.close()`), when the loop is left, and, behind
 * `disconnected`, when trying again makes no sense: a certificate that is not accepted, a status such as 401 or 404.
 * `retryable` decides otherwise. What a connection ended by does not matter: `persist()` is there to be connected.
 *
 * The wait before the next attempt is uniform in [minDelay, firstDelay] at first, and then
 * `min(firstDelay × factor^(attempt−1), maxDelay)`, of which the second half is left to chance. `Retry-After` and a
 * Close with 1012 or 1013 make it longer.
 *
 * @throws InvalidArgumentError for an option that cannot be used
 * @throws ConcurrencyError, from the loop, while another loop over the client runs
 */
export function persist(client: ClientBase, options: PersistOptions = {}): AsyncIterable<ClientEvent> {
  checkOptionNames("persist()", options, PERSIST_OPTIONS);
  return eventsAcrossAttempts(client, options);
}
