// The user's side of `holdfast connect`: a terminal or pipes.

import type { ClientEvent, CloseInfo } from "../../index.js";
import type { Console } from "../terminal/console.js";
import type { CurrentConnection } from "../connection/current-connection.js";
import { jsonDisplay } from "./display.js";

export interface Frontend {
  /** The verb writes here while the frontend is in use. */
  readonly console: Console;
  onEvent(event: ClientEvent): void;
  /** The last event has been delivered. */
  end(): void;
}

export interface FrontendOptions {
  readonly console: Console;
  readonly current: CurrentConnection;
  readonly isReconnecting: boolean;
  /** Shows long messages in full. */
  readonly isFull: boolean;
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

  onEvent(event: ClientEvent): void {
    if (this.#isJson) jsonDisplay(this.console).onEvent(event);
  }

  end(): void {
    // Nothing to clean up.
  }
}
