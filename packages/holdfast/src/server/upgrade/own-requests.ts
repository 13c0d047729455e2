// The port to requests that the library itself answers at a server, beside those of the application: the inspector's.

import type { Connection } from "../../connection/connection.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { ServerRequest } from "./server-request.js";

/** Receives a connection that is not the application's. */
export interface ConnectionReceiver {
  readonly settings: ConnectionSettings;
  onOpen(connection: Connection): void;
}

export interface OwnRequests {
  /** Whether it answers the requests for this path, given with its query. */
  matches(target: string): boolean;
  /**
   * Decides on a request: a Response to send, or the receiver of the connection. May throw what the application's code
   * throws.
   */
  answer(request: ServerRequest): Promise<ConnectionReceiver | Response>;
  /** A connection of the application has opened. */
  onOpened(connection: Connection): void;
  /** A connection of the application has ended. */
  onEnded(connection: Connection, info: CloseInfo): void;
  /** The server is closing. */
  close(): void;
}
