// Requests between processes, as requests of NATS. The first byte of an answer says whether the handler succeeded.

import type { Msg, Subscription } from "@nats-io/transport-node";
import { EngineUnavailableError, type RequestHandler } from "holdfast/topics";
import { deadlineFromNow, sleep, TIMEOUT } from "../connection/deadline.js";
import { isNoResponders, toEngineError } from "../connection/failures.js";
import type { Link } from "../connection/link.js";
import type { Names } from "../connection/names.js";

/** Attempts, and milliseconds between them: a process that starts or reconnects may not be subscribed yet. */
const ATTEMPTS = 4;
const RETRY_DELAY = 100;

const ANSWER = 1;
const FAILURE = 0;

export class Requests {
  readonly #link: Link;
  readonly #names: Names;
  readonly #subscription: Subscription;
  handler: RequestHandler | null = null;

  constructor(node: string, link: Link, names: Names) {
    this.#link = link;
    this.#names = names;
    this.#subscription = link.connection.subscribe(names.node(node), {
      callback: (error, request) => {
        if (error === null) void this.#answer(request);
      },
    });
  }

  async request(node: string, body: Uint8Array, timeout: number): Promise<Uint8Array> {
    const deadline = deadlineFromNow(timeout);
    for (let attempt = 1; ; attempt++) {
      await this.#link.ready(Math.min(deadline, deadlineFromNow(TIMEOUT)));
      try {
        const { data } = await this.#link.request(this.#names.node(node), body, null, deadline);
        if (data.at(0) === ANSWER) return new Uint8Array(data.subarray(1));
        throw new EngineUnavailableError(
          "The process failed to answer, or it answers no requests.",
          "unknown",
        );
      } catch (error) {
        if (!isNoResponders(error)) throw toEngineError(error);
      }
      if (attempt === ATTEMPTS || deadlineFromNow(RETRY_DELAY) >= deadline) {
        throw new EngineUnavailableError("There is no such process.", "unsent");
      }
      await sleep(RETRY_DELAY);
    }
  }

  close(): void {
    if (!this.#link.connection.isClosed()) this.#subscription.unsubscribe();
  }

  async #answer(request: Msg): Promise<void> {
    let answer: Uint8Array | null;
    try {
      answer = this.handler === null ? null : await this.handler(new Uint8Array(request.data));
    } catch {
      answer = null; // The requesting process gets the error; this process already knows it.
    }
    if (this.#link.connection.isClosed()) return;
    request.respond(
      answer === null ? Uint8Array.of(FAILURE) : Buffer.concat([Uint8Array.of(ANSWER), answer]),
    );
  }
}
