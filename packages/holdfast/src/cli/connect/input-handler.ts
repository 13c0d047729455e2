// Executes typed lines: messages and commands for the current connection.

import { HoldfastError, type Connection } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { milliseconds } from "../terminal/milliseconds.js";
import { COMMAND_HELP, parseCommand, type Command } from "./commands.js";
import type { CurrentConnection } from "../connection/current-connection.js";
import type { Display } from "./display.js";

export interface InputHandlerOptions {
  readonly current: CurrentConnection;
  readonly display: Display;
  readonly console: Pick<Console, "say">;
  readonly isReconnecting: boolean;
  readonly send: (connection: Connection, message: string | Uint8Array) => Promise<void>;
  /** Ends the connection, and stops reconnecting. */
  readonly close: (code: number, reason: string) => Promise<unknown>;
}

export class InputHandler {
  readonly #options: InputHandlerOptions;

  constructor(options: InputHandlerOptions) {
    this.#options = options;
  }

  /** A message or a command. */
  async onLine(line: string): Promise<void> {
    try {
      await this.#execute(parseCommand(line));
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      // The verb reports the end of a connection in full.
      if (this.#options.current.connection !== null) this.#options.console.say(escaped(error.message));
    }
  }

  async #execute(command: Command): Promise<void> {
    const { display, console, close } = this.#options;
    switch (command.kind) {
      case "send":
        return this.#send(command.data);
      case "close":
        await close(command.code, command.reason);
        return;
      case "help":
        console.say(COMMAND_HELP);
        return;
      case "mistake":
        console.say(command.message);
        return;
      default:
        break;
    }
    const { connection } = this.#options.current;
    if (connection === null) {
      console.say("There is no connection right now.");
    } else if (command.kind === "ping") {
      const roundTrip = await connection.ping(command.payload === "" ? null : command.payload);
      display.note(`pong after ${milliseconds(roundTrip)} ms`);
    } else if (command.kind === "pong") {
      connection.pong(command.payload);
    } else {
      display.note(latencyText(connection));
    }
  }

  /** With --reconnect, a message typed without a connection waits for the next one. */
  async #send(data: string | Uint8Array): Promise<void> {
    const { current, display, console, isReconnecting, send } = this.#options;
    if (isReconnecting && current.connection?.state !== "open")
      console.say("The message waits for the next connection.");
    const connection = isReconnecting ? await current.open() : current.connection;
    if (connection === null) return;
    display.onSent(data);
    await send(connection, data);
  }
}

function latencyText({ latencyStats }: Connection): string {
  const { last, min, mean, max, jitter, answered, sent } = latencyStats;
  if (last === null || min === null || mean === null || max === null || jitter === null) return "no pong yet";
  const times = [min, mean, max, jitter].map(milliseconds).join("/");
  return `latency ${milliseconds(last)} ms, min/avg/max/jitter ${times} ms, ${answered} of ${sent} pings answered`;
}
