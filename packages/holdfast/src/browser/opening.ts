// One attempt of the browser to open a WebSocket, under a deadline.

import type { Runtime } from "../connection/runtime.js";
import { Alarm, type AlarmHandler } from "../connection/timer-queue.js";
import { HandshakeError, InvalidStateError, InvalidURLError, OpenTimeoutError } from "../shared/errors.js";
import { showURL } from "../shared/show-url.js";
import { thrownText } from "../shared/thrown.js";
import type { BrowserURL } from "./browser-url.js";

export interface OpeningOptions {
  readonly runtime: Runtime;
  readonly url: BrowserURL;
  readonly subprotocols: readonly string[];
  /** Monotonic time at which it is given up; null for never. */
  readonly deadline: number | null;
  /** What the deadline makes of the time allowed, for the message. */
  readonly openTimeout: number | null;
  readonly signal: AbortSignal | null;
}

/**
 * Opens a WebSocket. `take` is called with it at once, before a message can come: a promise would let some slip by.
 * What it throws is the failure, and the WebSocket is closed.
 *
 * @throws HandshakeError, or the reason of the signal
 */
export function openWebSocket<Taken>(
  options: OpeningOptions,
  take: (socket: WebSocket) => Taken,
): Promise<Taken> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const onOpen = (socket: WebSocket): void => {
      try {
        resolve(take(socket));
      } catch (error) {
        socket.close();
        reject(error);
      }
    };
    new Opening(options, onOpen, reject);
  });
}

/** The browser could not connect, and does not say why. */
export function isUnexplained(error: unknown): boolean {
  return error instanceof HandshakeError && error.code === UNEXPLAINED;
}

const UNEXPLAINED = "ERR_HOLDFAST_OPEN_FAILED";

class Opening implements AlarmHandler {
  readonly #options: OpeningOptions;
  readonly #take: (socket: WebSocket) => void;
  readonly #reject: (error: unknown) => void;
  readonly #alarm = new Alarm(this);
  readonly #socket: WebSocket;

  constructor(options: OpeningOptions, take: (socket: WebSocket) => void, reject: (error: unknown) => void) {
    this.#options = options;
    this.#take = take;
    this.#reject = reject;
    this.#socket = createSocket(options);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#succeed();
    this.#socket.onclose = () => this.#fail(unexplained(options.url));
    const { deadline, runtime, signal } = options;
    signal?.addEventListener("abort", this.#onAbort);
    if (deadline !== null) runtime.timers.set(this.#alarm, deadline);
  }

  /** The answer may be on its way to the page, if it was the page itself that was late. */
  onAlarm(): void {
    const { runtime, url, openTimeout } = this.#options;
    runtime.clock.afterPoll(() => {
      const message = `Expected ${showURL(url.href)} to be open within ${openTimeout} ms; a browser does not tell what it is waiting for`;
      this.#fail(new OpenTimeoutError(message, "connect"));
    });
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  #succeed(): void {
    this.#settle();
    this.#take(this.#socket);
  }

  #fail(error: unknown): void {
    if (this.#socket.onopen === null) return; // It is settled.
    this.#settle();
    this.#socket.close();
    this.#reject(error);
  }

  #settle(): void {
    this.#socket.onopen = null;
    this.#socket.onclose = null;
    this.#options.runtime.timers.cancel(this.#alarm);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * @throws InvalidStateError where there is no WebSocket, as where a page is rendered on a server
 * @throws InvalidURLError where the browser refuses the URL, such as a `ws:` one in a page that came over `https:`
 */
function createSocket({ url, subprotocols }: OpeningOptions): WebSocket {
  if (typeof WebSocket === "undefined") {
    throw new InvalidStateError(
      'There is no WebSocket here: on a server, import from "holdfast" under Node.js',
    );
  }
  try {
    return new WebSocket(url.href, [...subprotocols]);
  } catch (cause) {
    throw new InvalidURLError(
      `The browser refuses to connect to ${showURL(url.href)}: ${thrownText(cause)}`,
      {
        cause,
      },
    );
  }
}

function unexplained(url: BrowserURL): HandshakeError {
  // Some environments have no such property: then nothing is known.
  const isOffline = (globalThis.navigator as Partial<Navigator> | undefined)?.onLine === false;
  const reason = isOffline
    ? "the browser is offline"
    : "the server cannot be reached, refuses the connection or the subprotocols, or its certificate is not accepted. A browser does not tell which; its console does";
  return new HandshakeError(`Expected ${showURL(url.href)} to open, got a failure: ${reason}`, {
    code: UNEXPLAINED,
    failure: isOffline ? "unreachable" : "refused",
  });
}
