// The port through which clients open connections. client/ implements it on sockets, browser/ on a `WebSocket`.

import type { Connection } from "../connection/connection.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import type { OpenObserver } from "../connection/open-observer.js";
import type {
  SessionCarrier,
  SessionCarrierHandler,
  SessionCarrierSettings,
} from "../connection/session-carrier.js";
import type { Runtime } from "../connection/runtime.js";
import type { PerAttemptOptions } from "./target.js";

/** Options that every connector understands. */
export interface ConnectorOptions extends ConnectionOptions {
  readonly headers?: unknown;
  readonly subprotocols?: (Iterable<string> & object) | undefined;
  readonly openTimeout?: number | null | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

export interface Connector<Options extends ConnectorOptions> {
  /** Clock, timers and randomness of its connections. */
  readonly runtime: Runtime;
  /**
   * Copies the connector's own options, so that later changes by the application do not affect attempts.
   * @throws InvalidArgumentError
   */
  fixOptions?(options: PerAttemptOptions<Options>): PerAttemptOptions<Options>;
  /** @throws InvalidArgumentError for an option that no attempt could use */
  checkOptions(options: Options): ConnectionSettings;
  /**
   * Returns the URL for display: without user info.
   * @throws InvalidURLError
   */
  describeURL(url: string | URL): string;
  /**
   * Calls back whenever the network, or the user, may have returned: a delay ends then. Returns an unsubscribe
   * function. Absent if the platform reports nothing of the kind.
   */
  readonly watchReturns?: (callback: () => void) => () => void;
  /** Makes what carries a session across the sockets of a persistent connection. */
  carrySession?(settings: SessionCarrierSettings, handler: SessionCarrierHandler): SessionCarrier;
  /**
   * Opens a connection. The signal of the options aborts the attempt at any moment.
   * @throws HandshakeError, InvalidArgumentError, or the signal's reason
   */
  open(url: string | URL, options: Options, observer: OpenObserver | null): Promise<Connection>;
}
