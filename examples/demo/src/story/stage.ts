// The shared state of the steps: the terminal with the step's own time, the far end, and the connections to
// it.

import { connect, type Connection, type ConnectOptions } from "holdfast";
import type { FarEnd } from "../far-end/far-end.js";
import type { Sabotage } from "../sabotage.js";
import { clock, printable } from "../terminal/text.js";
import type { Terminal } from "../terminal/terminal.js";
import { CLIENT } from "../timings.js";

/** The path of the connection of most steps, and that of a bare one without keepalive. */
export const MAIN_PATH = "/main";
export const BARE_PATH = "/bare";

const BODY = "   ";
/** As wide as BODY plus a time such as ` 2.3 s` and the gap before the text. */
const HANGING = `${BODY}         `;

export class Stage {
  readonly terminal: Terminal;
  readonly farEnd: FarEnd;
  readonly sabotage: Sabotage | null;
  readonly #connections = new Map<string, Connection>();
  #stepBegan = performance.now();

  constructor(terminal: Terminal, farEnd: FarEnd, sabotage: Sabotage | null) {
    this.terminal = terminal;
    this.farEnd = farEnd;
    this.sabotage = sabotage;
  }

  /** The connection to that path, which an earlier step opened. */
  connection(path: string): Connection {
    const connection = this.#connections.get(path);
    if (connection === undefined) throw new Error(`No step has connected to ${path}`);
    return connection;
  }

  /** Connects to the far end through the proxy; the path identifies the connection in the demo. */
  async connect(path: string, options: ConnectOptions = CLIENT): Promise<Connection> {
    const connection = await connect(this.farEnd.url(path), options);
    this.#connections.set(path, connection);
    return connection;
  }

  /** Starts the step's clock. */
  begin(): void {
    this.#stepBegan = performance.now();
  }

  /** Milliseconds since the step began. */
  get elapsed(): number {
    return performance.now() - this.#stepBegan;
  }

  /** Prints an event with the time. */
  tell(text: string, paint?: (line: string) => string): void {
    const time = `${BODY}${clock(this.elapsed).padStart(4)} s   `;
    this.terminal.paragraph(printable(text), time, HANGING, paint);
  }

  /** Prints a continuation of the previous line. */
  add(text: string, paint?: (line: string) => string): void {
    this.terminal.paragraph(printable(text), HANGING, HANGING, paint);
  }

  /** Prints a message of the library. */
  quote(text: string): void {
    this.terminal.paragraph(printable(text), `${HANGING}│ `, `${HANGING}│ `);
  }

  /** Ends all open connections. */
  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.terminate();
    await this.farEnd.close();
  }
}
