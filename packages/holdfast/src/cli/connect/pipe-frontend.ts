// `holdfast connect` in a pipe: sends the messages of stdin or --execute, and prints the answers.

import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError, type ClientEvent, type Connection } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import type { SessionEvent } from "../connection/session-client.js";
import type { Frontend, FrontendOptions } from "./frontend.js";
import type { Outgoing } from "./outgoing.js";
import type { Display } from "./display.js";

export interface PipeFrontendOptions extends FrontendOptions {
  readonly display: Display;
  /** The messages of --execute, sent first on each connection, or in each session. */
  readonly executed: readonly string[];
  readonly input: AsyncIterable<Outgoing>;
  /**
   * Milliseconds without received data, after the end of the input, until the command closes. Null waits for the
   * server.
   */
  readonly quietTime: number | null;
}

export class PipeFrontend implements Frontend {
  readonly #options: PipeFrontendOptions;
  #quietSince = performance.now();
  #hasStarted = false;

  constructor(options: PipeFrontendOptions) {
    this.#options = options;
  }

  get console(): Console {
    return this.#options.console;
  }

  onEvent(event: ClientEvent | SessionEvent): void {
    if (event.type === "text" || event.type === "binary") this.#quietSince = performance.now();
    this.#options.display.onEvent(event);
    // With a session, --execute and the input begin with the session, and go on after each cut.
    const { hasSession, current } = this.#options;
    const connection = event.type === "ready" ? event.connection : current.connection;
    if (event.type === (hasSession ? "session" : "ready") && connection !== null)
      void this.#onReady(connection);
  }

  end(): void {
    // Does not read the rest of stdin: the process ends.
  }

  async #onReady(connection: Connection): Promise<void> {
    this.#quietSince = performance.now();
    for (const message of this.#options.executed) await this.#send(connection, message);
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    await this.#sendInput();
    await this.#waitUntilQuiet();
  }

  async #sendInput(): Promise<void> {
    const { input, current, console } = this.#options;
    try {
      for await (const message of input) {
        const connection = await this.#openConnection();
        if (connection === null) return;
        await this.#send(connection, message);
      }
    } catch (error) {
      if (!current.isOver) console.say(`holdfast: Cannot read stdin: ${(error as Error).message}`);
    }
  }

  /** With --reconnect, input waits for the next connection. */
  #openConnection(): Promise<Connection | null> {
    const { current, isReconnecting } = this.#options;
    return isReconnecting ? current.open() : Promise.resolve(current.connection);
  }

  async #send(connection: Connection, message: Outgoing): Promise<void> {
    try {
      if (typeof message === "string" || message instanceof Uint8Array)
        await this.#options.send(connection, message);
      else await connection.send(message);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const { isReconnecting, hasSession, console } = this.#options;
      if (isReconnecting && !hasSession)
        console.say("holdfast: The last message was lost with the connection, or not answered.");
      // The verb reports the end of a connection in full.
      else if (hasSession || connection.state === "open") console.say(`holdfast: ${escaped(error.message)}`);
    }
  }

  /** Leaves time for the answer to the last message. */
  async #waitUntilQuiet(): Promise<void> {
    const { quietTime, current, close } = this.#options;
    if (quietTime === null) return;
    this.#quietSince = performance.now();
    while (!current.isOver) {
      const connection = await this.#openConnection();
      if (connection === null) return;
      const wait = this.#quietSince + quietTime - performance.now();
      if (wait <= 0) {
        await close();
        return;
      }
      await sleep(wait, undefined, { signal: connection.signal }).catch(() => undefined);
    }
  }
}
