// Opens a WebSocket of the browser, with a deadline.

import type { Runtime } from "../connection/runtime.js";
import { Deadline } from "../connection/timer-queue.js";
import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { HandshakeError, InvalidStateError, InvalidURLError, OpenTimeoutError } from "../shared/errors.js";
import { showURL } from "../shared/show-url.js";
import { thrownText } from "../shared/thrown.js";
import type { BrowserURL } from "./browser-url.js";
import { withFullStop } from "../shared/full-stop.js";

export interface OpenWebSocketOptions {
  readonly runtime: Runtime;
  readonly url: BrowserURL;
  readonly subprotocols: readonly string[];
  /** Monotonic time at which opening fails; null for no limit. */
  readonly deadline: number | null;
  /** The option that set the deadline, for the error message. */
  readonly openTimeout: number | null;
  readonly signal: AbortSignal | null;
}

/**
 * Opens a WebSocket. Calls `onOpen` synchronously, before a message can arrive: messages that arrive before a promise
 * continues would be lost. If `onOpen` throws, the WebSocket is closed and opening fails with that error.
 *
 * @throws HandshakeError, InvalidURLError if a policy of the page blocks the URL, or the reason of the signal
 */
export function openWebSocket<Result>(
  options: OpenWebSocketOptions,
  onOpen: (socket: WebSocket) => Promise<Result> | Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const resolveWith = (socket: WebSocket): void => {
      try {
        resolve(onOpen(socket));
      } catch (error) {
        socket.close();
        reject(error);
      }
    };
    new WebSocketAttempt(options, resolveWith, reject);
  });
}

/** Whether the browser could not connect and did not report why. */
export function isUnexplained(error: unknown): boolean {
  return error instanceof HandshakeError && error.code === UNEXPLAINED;
}

const UNEXPLAINED = "ERR_HOLDFAST_OPEN_FAILED";

class WebSocketAttempt extends Deadline {
  readonly #options: OpenWebSocketOptions;
  readonly #onOpen: (socket: WebSocket) => void;
  readonly #reject: (error: unknown) => void;
  readonly #socket: WebSocket;

  constructor(
    options: OpenWebSocketOptions,
    onOpen: (socket: WebSocket) => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.#options = options;
    this.#onOpen = onOpen;
    this.#reject = reject;
    this.#socket = createSocket(options);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#succeed();
    this.#socket.onclose = () => this.#fail(unexplained(options.url));
    this.#socket.onerror = () => this.#onError();
    const { deadline, runtime, signal } = options;
    watchAbort(signal, this.#onAbort);
    if (deadline !== null) runtime.timers.set(this, deadline);
  }

  /** If the page was late, the response may be waiting already: process events before failing. */
  onAlarm(): void {
    const { runtime, url, openTimeout } = this.#options;
    runtime.clock.afterPoll(() => {
      const message = `Expected ${showURL(url.href)} to be open within ${openTimeout} ms; browsers do not report what they are waiting for.`;
      this.#fail(new OpenTimeoutError(message, "connect"));
    });
  }

  /**
   * A failure emits `error` and `close` in one task (WHATWG WebSockets). Chromium emits only `error` for a URL that the
   * Content-Security-Policy of the page blocks.
   */
  #onError(): void {
    const { runtime, url } = this.#options;
    if (typeof SecurityPolicyViolationEvent !== "undefined")
      runtime.clock.afterPoll(() => this.#fail(blocked(url)));
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  #succeed(): void {
    this.#settle();
    this.#onOpen(this.#socket);
  }

  #fail(error: unknown): void {
    if (this.#socket.onopen === null) return; // Already settled.
    this.#settle();
    this.#socket.close();
    this.#reject(error);
  }

  #settle(): void {
    this.#socket.onopen = null;
    this.#socket.onclose = null;
    this.#socket.onerror = null;
    this.#options.runtime.timers.cancel(this);
    unwatchAbort(this.#options.signal, this.#onAbort);
  }
}

/**
 * @throws InvalidStateError without a global WebSocket, such as in server-side rendering
 * @throws InvalidURLError if the browser rejects the URL, such as `ws:` in a page loaded over `https:`
 */
function createSocket({ url, subprotocols }: OpenWebSocketOptions): WebSocket {
  if (typeof WebSocket === "undefined") {
    throw new InvalidStateError(
      'Expected a global WebSocket, got none. On a server, import from "holdfast" under Node.js.',
    );
  }
  try {
    return new WebSocket(url.href, [...subprotocols]);
  } catch (cause) {
    throw new InvalidURLError(
      withFullStop(`The browser refuses to connect to ${showURL(url.href)}: ${thrownText(cause)}`),
      {
        cause,
      },
    );
  }
}

/** Retrying is useless: a policy does not change while the page lives. */
function blocked({ href, endpoint }: BrowserURL): InvalidURLError {
  const origin = endpoint.split("/", 3).join("/");
  return new InvalidURLError(
    `The browser refuses to connect to ${showURL(href)}: the Content-Security-Policy of the page blocks it. Add ${origin} to its \`connect-src\`.`,
  );
}

function unexplained(url: BrowserURL): HandshakeError {
  // Some environments do not have `onLine`.
  const isOffline = (globalThis.navigator as Partial<Navigator> | undefined)?.onLine === false;
  const reason = isOffline
    ? "the browser is offline"
    : "the server cannot be reached, refuses the connection or the subprotocols, or its certificate is not accepted. Browsers report which of these only in their console";
  return new HandshakeError(`Expected ${showURL(url.href)} to open, got a failure: ${reason}.`, {
    code: UNEXPLAINED,
    failure: isOffline ? "unreachable" : "refused",
  });
}
