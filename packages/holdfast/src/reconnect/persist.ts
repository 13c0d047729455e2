// `persist()`: the events of a client that reconnects.

import { checkOptionNames } from "../shared/option-names.js";
import type { ClientEvent } from "./events.js";
import { eventsAcrossAttempts, type ClientBase } from "./client-base.js";
import { PERSIST_OPTIONS, type PersistOptions } from "./retry/persist-options.js";

/**
 * Keeps a client connected. Yields the events of one attempt after another, with a `backOff` event in between.
 *
 * The loop ends when `signal` aborts, when the application calls `client.close()` or leaves the loop, and, after
 * `disconnected`, when a retry is pointless: the certificate was rejected, or the status is 401 or 404, for example.
 * `retryable` can change that decision. An open connection that ends is always replaced, whatever its close code.
 *
 * The first delay is uniform in [minDelay, firstDelay]. A later delay is uniform between one half and the whole of
 * `min(firstDelay × factor^(attempt−1), maxDelay)`, and at least `minDelay`. The second delay is also at least
 * `firstDelay`, or three quarters of the whole if that is less. `Retry-After` and a Close with 1012 or 1013 set the delay.
 *
 * @throws InvalidArgumentError for an invalid option
 * @throws ConcurrencyError, from the loop, while another loop over the client runs
 */
export function persist(client: ClientBase, options: PersistOptions = {}): AsyncIterable<ClientEvent> {
  checkOptionNames("persist()", options, PERSIST_OPTIONS);
  return eventsAcrossAttempts(client, options);
}
