// `holdfast connect` on a terminal: a prompt below the messages, from the first connection to the end of the last.

import type { ClientEvent, Connection } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { Conversation } from "./conversation.js";
import type { Front, FrontOptions } from "./front.js";
import { openPrompt, type Prompt } from "./prompt.js";
import { STATUS_EVERY, StatusLine } from "./status-line.js";
import { personTalk } from "./talk.js";

export class HandFront implements Front {
  readonly #options: FrontOptions;
  readonly #prompt: Prompt;
  readonly #talk: ReturnType<typeof personTalk>;
  readonly #timer: NodeJS.Timeout;
  #status: StatusLine | null = null;
  #isWaiting = false;

  constructor(options: FrontOptions) {
    this.#options = options;
    const { console, current, close, isFull, isReconnecting } = options;
    this.#prompt = openPrompt(console, {
      onLine: (line) => void conversation.onLine(line),
      onEnd: () => void close(),
      onInterrupt: () => void close(),
    });
    this.#talk = personTalk(this.#prompt.console, isFull);
    const conversation = new Conversation({
      current,
      talk: this.#talk,
      console: this.#prompt.console,
      isReconnecting,
      close,
    });
    this.#timer = setInterval(() => this.#showStatus(), STATUS_EVERY);
  }

  get console(): Console {
    return this.#prompt.console;
  }

  onEvent(event: ClientEvent): void {
    if (event.type === "disconnected") this.#isWaiting = this.#options.isReconnecting;
    this.#talk.onEvent(event);
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
      this.#talk.note(`no pong for ${(elapsed / 1000).toFixed(1)} s`),
    );
    this.#showStatus();
  }

  #showStatus(): void {
    this.#prompt.showStatus(this.#isWaiting ? "disconnected" : (this.#status?.text() ?? ""));
  }
}
