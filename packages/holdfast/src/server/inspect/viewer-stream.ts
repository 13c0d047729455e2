// The stream of one viewer: answers its requests, at a limited rate.

import { ignore } from "../../shared/deferred.js";
import type { Connection } from "../../connection/connection.js";
import type { Clock } from "../../connection/ports.js";
import type { Message } from "../../connection/reading/inbox.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { Viewer } from "./authorize.js";
import type { Desk } from "./desk.js";
import { readRequest } from "./requests.js";
import type { InspectAnswer, InspectRequest } from "./wire.js";

/** Requests that a viewer may send at once, and then each second. A page sends one a second. */
const BURST = 20;
const PER_SECOND = 10;
/** Bytes of answers that may wait for a viewer that does not read. */
const MOST_UNREAD = 512 * 1024;
/** Milliseconds after which a viewer has to be authorized again. */
const LONGEST = 3_600_000;

export class ViewerStream {
  readonly viewer: Viewer;
  /** Names the stream among the viewers of a process. */
  readonly key: string;
  readonly #connection: Connection;
  readonly #desk: Desk;
  readonly #clock: Clock;
  readonly #openedAt: number;
  #allowance = BURST;
  #countedAt: number;

  constructor(connection: Connection, viewer: Viewer, desk: Desk, clock: Clock) {
    this.viewer = viewer;
    this.key = connection.id;
    this.#connection = connection;
    this.#desk = desk;
    this.#clock = clock;
    this.#openedAt = this.#countedAt = clock.now();
    void connection.forEach((message) => this.#onMessage(message));
  }

  get closed(): Promise<unknown> {
    return this.#connection.closed;
  }

  close(code: number, reason: string): void {
    void this.#connection.close(code, reason);
  }

  #onMessage(message: Message): void {
    if (this.#connection.state !== "open") return;
    const now = this.#clock.now();
    const earned = ((now - this.#countedAt) / 1_000) * PER_SECOND;
    this.#allowance = Math.min(BURST, this.#allowance + earned) - 1;
    this.#countedAt = now;
    if (this.#allowance < 0) this.close(1008, `expected at most ${PER_SECOND} requests a second`);
    else if (this.#connection.bufferedAmount > MOST_UNREAD) this.close(1008, "expected answers to be read");
    else if (now - this.#openedAt > LONGEST) this.close(1012, "connect again to be authorized again");
    else void this.#answer(message);
  }

  async #answer(message: Message): Promise<void> {
    let request: InspectRequest;
    try {
      request = readRequest(message);
    } catch (error) {
      this.close(1008, reasonOf(error));
      return;
    }
    let answer: InspectAnswer;
    try {
      answer = await this.#desk.serve(request, this);
    } catch (error) {
      answer = { type: "failed", id: request.id, text: errorOf(error).message };
    }
    // It rejects if the viewer has left.
    await this.#connection.send(JSON.stringify(answer)).catch(ignore);
  }
}

/** The reason of a Close has at most 123 bytes (RFC 6455 section 5.5). */
function reasonOf(error: unknown): string {
  const text = error instanceof InvalidArgumentError ? error.message : "invalid request";
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 120);
}
