// What stands between the connections of `holdfast connect` and its user: a terminal or pipes.

import type { ClientEvent, CloseInfo } from "../../index.js";
import type { Console } from "../terminal/console.js";
import type { CurrentConnection } from "../connection/current-connection.js";
import { jsonDisplay } from "./display.js";

export interface Frontend {
  /** Where the verb writes while the front is there. */
  readonly console: Console;
  onEvent(event: ClientEvent): void;
  /** No event follows. */
  end(): void;
}

export interface FrontendOptions {
  readonly console: Console;
  readonly current: CurrentConnection;
  readonly isReconnecting: boolean;
  /** Shows long messages whole. */
  readonly isFull: boolean;
  /** Ends the connection, and reconnecting. */
  readonly close: (code?: number, reason?: string) => Promise<CloseInfo | null>;
}

/** Before the first connection is open. */
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
    // It holds nothing.
  }
}
