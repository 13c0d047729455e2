// What the lines of the input do to a connection.

import { HoldfastError, type Connection } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { milliseconds } from "../ping/summary.js";
import { COMMAND_HELP, parseCommand, type Command } from "./commands.js";
import type { Talk } from "./talk.js";

export class Conversation {
  readonly #connection: Connection;
  readonly #talk: Talk;
  readonly #console: Pick<Console, "say">;

  constructor(connection: Connection, talk: Talk, console: Pick<Console, "say">) {
    this.#connection = connection;
    this.#talk = talk;
    this.#console = console;
  }

  /** A line of somebody who types: a message or a command. */
  async onTypedLine(line: string): Promise<void> {
    await this.#obey(parseCommand(line));
  }

  /** A line of a program: always a message. Resolves when there is room for the next. */
  async onPipedLine(line: string): Promise<void> {
    await this.#obey({ kind: "send", data: line });
  }

  async #obey(command: Command): Promise<void> {
    try {
      await this.#execute(command);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      // The end of the connection is told in full elsewhere.
      if (this.#connection.state !== "closed") this.#console.say(escaped(error.message));
    }
  }

  async #execute(command: Command): Promise<void> {
    const connection = this.#connection;
    switch (command.kind) {
      case "send":
        this.#talk.onSent(command.data);
        return connection.send(command.data);
      case "ping": {
        const roundTrip = await connection.ping(command.payload === "" ? null : command.payload);
        this.#talk.note(`pong after ${milliseconds(roundTrip)} ms`, pongEvent(roundTrip));
        return;
      }
      case "pong": {
        connection.pong(command.payload);
        return;
      }
      case "close":
        await connection.close(command.code, command.reason);
        return;
      case "latency": {
        this.#talk.note(latencyText(connection), { type: "latency" });
        return;
      }
      case "help": {
        this.#console.say(COMMAND_HELP);
        return;
      }
      case "mistake": {
        this.#console.say(command.message);
        return;
      }
    }
  }
}

function pongEvent(roundTrip: number): { readonly type: string; readonly roundTrip: number } {
  return { type: "pong", roundTrip };
}

function latencyText({ latencyStats }: Connection): string {
  const { last, min, mean, max, jitter, answered, sent } = latencyStats;
  if (last === null || min === null || mean === null || max === null || jitter === null) return "no pong yet";
  const times = [min, mean, max, jitter].map(milliseconds).join("/");
  return `latency ${milliseconds(last)} ms, min/avg/max/jitter ${times} ms, ${answered} of ${sent} pings answered`;
}
