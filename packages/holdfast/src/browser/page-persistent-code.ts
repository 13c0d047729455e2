// The code of persistent connections that a page loads when it makes the first one.

import { makeCore } from "../reconnect/persistent/open-persistent.js";
import type { PersistentCore } from "../reconnect/persistent/persistent-core.js";
import type { PersistentSetup } from "../reconnect/persistent/set-up.js";
import type { Connector } from "../reconnect/connector.js";
import { LazySessionCarrier } from "../transport/session/lazy-session-carrier.js";
import type { EarlyOpening } from "./early-opening.js";
import type { ConnectOptions } from "./options.js";

/**
 * Makes the core of a persistent connection.
 * @param early the WebSocket of the first attempt; null if that is to open one
 * @param failures the number of attempts that have failed before
 */
export function makePageCore(
  setup: PersistentSetup<ConnectOptions>,
  early: EarlyOpening | null = null,
  failures = 0,
): PersistentCore {
  return makeCore(setup, withSessions(setup.target.connector, early), failures);
}

/** Only persistent connections have sessions, so that bundles of the other clients do not contain them. */
function withSessions(
  connector: Connector<ConnectOptions>,
  early: EarlyOpening | null,
): Connector<ConnectOptions> {
  let first = early;
  return {
    ...connector,
    open(url, options, observer) {
      const opening = first;
      first = null;
      return opening?.take(observer, options.signal ?? null) ?? connector.open(url, options, observer);
    },
    carrySession: (settings, handler) => new LazySessionCarrier(connector.runtime, settings, handler),
  };
}
