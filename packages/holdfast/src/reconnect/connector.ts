// The port by which clients open connections. client/ implements it on sockets; a browser's `WebSocket` is another.

import type { Connection } from "../connection/connection.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import type { OpenObserver } from "../connection/open-observer.js";
import type { Runtime } from "../connection/runtime.js";
import type { PerAttemptOptions } from "./target.js";

/** What every connector understands, beside what is its own. */
export interface ConnectorOptions extends ConnectionOptions {
  readonly headers?: unknown;
  readonly subprotocols?: (Iterable<string> & object) | undefined;
  readonly openTimeout?: number | null | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

export interface Connector<Options extends ConnectorOptions> {
  /** The clocks and the randomness of its connections. */
  readonly runtime: Runtime;
  /**
   * Copies what is its own among the options, so that each attempt finds it as it is now.
   * @throws InvalidArgumentError
   */
  fixOptions?(options: PerAttemptOptions<Options>): PerAttemptOptions<Options>;
  /** @throws InvalidArgumentError for what no attempt could use */
  checkOptions(options: Options): ConnectionSettings;
  /**
   * The URL as it may be shown: without user info.
   * @throws InvalidURLError
   */
  describeURL(url: string | URL): string;
  /**
   * Calls back whenever the network may have come back, or whoever waits for it: a wait is over then. Returns what
   * ends that. Absent where nothing tells.
   */
  readonly watchReturns?: (callback: () => void) => () => void;
  /**
   * Opens a connection; an abort of the options' signal ends it at any moment.
   * @throws HandshakeError, InvalidArgumentError, or the reason of the signal
   */
  open(url: string | URL, options: Options, observer: OpenObserver | null): Promise<Connection>;
}
