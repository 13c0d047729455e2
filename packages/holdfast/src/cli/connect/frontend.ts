// The user's side of `holdfast connect`: a terminal or pipes.

import type { ClientEvent, CloseInfo, Connection } from "../../index.js";
import type { Console } from "../terminal/console.js";
import type { CurrentConnection } from "../connection/current-connection.js";
import type { SessionEvent } from "../connection/session-client.js";
import { jsonDisplay } from "./display.js";

export interface Frontend {
  /** The verb writes here while the frontend is in use. */
  readonly console: Console;
  onEvent(event: ClientEvent | SessionEvent): void;
  /** The last event has been delivered. */
  end(): void;
}

export interface FrontendOptions {
  readonly console: Console;
  readonly current: CurrentConnection;
  readonly isReconnecting: boolean;
  /** Messages survive reconnects. */
  readonly hasSession: boolean;
  /** Shows long messages in full. */
  readonly isFull: boolean;
  /** Sends a message on this connection, or with the session that it carries. */
  readonly send: (connection: Connection, message: string | Uint8Array) => Promise<void>;
  /** Ends the connection, and stops reconnecting. */
  readonly close: (code?: number, reason?: string) => Promise<CloseInfo | null>;
}

/** In use before the first connection opens. */
export class OpeningFrontend implements Frontend {
  readonly console: Console;
  readonly #isJson: boolean;

  constructor(console: Console, isJson: boolean) {
    this.console = console;
    this.#isJson = isJson;
  }

  onEvent(event: ClientEvent | SessionEvent): void {
    if (this.#isJson) jsonDisplay(this.console).onEvent(event);
  }

  end(): void {
    // Nothing to clean up.
  }
}
