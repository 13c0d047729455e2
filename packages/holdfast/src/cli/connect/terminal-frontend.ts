// `holdfast connect` on a terminal: a prompt below the messages, from the first connection to the last.

import type { ClientEvent, Connection } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { InputHandler } from "./input-handler.js";
import type { SessionEvent } from "../connection/session-client.js";
import type { Frontend, FrontendOptions } from "./frontend.js";
import { openPrompt, type Prompt } from "./prompt.js";
import { STATUS_INTERVAL, StatusLine } from "./status-line.js";
import { terminalDisplay } from "./display.js";

export class TerminalFrontend implements Frontend {
  readonly #options: FrontendOptions;
  readonly #prompt: Prompt;
  readonly #display: ReturnType<typeof terminalDisplay>;
  readonly #timer: NodeJS.Timeout;
  #status: StatusLine | null = null;
  #isWaiting = false;

  constructor(options: FrontendOptions) {
    this.#options = options;
    const { console, current, close, send, isFull, isReconnecting } = options;
    this.#prompt = openPrompt(console, {
      onLine: (line) => void inputHandler.onLine(line),
      onEnd: () => void close(),
      onInterrupt: () => void close(),
    });
    this.#display = terminalDisplay(this.#prompt.console, isFull);
    const inputHandler = new InputHandler({
      current,
      display: this.#display,
      console: this.#prompt.console,
      isReconnecting,
      send,
      close,
    });
    this.#timer = setInterval(() => this.#showStatus(), STATUS_INTERVAL);
  }

  get console(): Console {
    return this.#prompt.console;
  }

  onEvent(event: ClientEvent | SessionEvent): void {
    if (event.type === "disconnected") this.#isWaiting = this.#options.isReconnecting;
    this.#display.onEvent(event);
    if (event.type === "ready") this.#onReady(event.connection);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#prompt.close();
  }

  #onReady(connection: Connection): void {
    this.#isWaiting = false;
    this.#status = new StatusLine(connection);
    connection.on("overdue", ({ elapsed }) =>
      this.#display.note(`no pong for ${(elapsed / 1000).toFixed(1)} s`),
    );
    this.#showStatus();
  }

  #showStatus(): void {
    this.#prompt.showStatus(this.#isWaiting ? "disconnected" : (this.#status?.text() ?? ""));
  }
}
