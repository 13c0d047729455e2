// `WebSocketStream` of the standard's draft (https://github.com/whatwg/websockets/pull/48): a WebSocket as a pair of
// streams, with backpressure in both directions.

import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import type { CloseInfo } from "../connection/close-info.js";
import type { ConnectorOptions } from "../reconnect/connector.js";
import { abortedError, openingError } from "../reconnect/opening-failure.js";
import { NO_STATUS, type CloseFrame } from "../shared/close-code.js";
import { Deferred, ignore, quietly } from "../shared/deferred.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { errorOf, thrownText } from "../shared/thrown.js";
import { checkProtocols, parseURL } from "./arguments.js";
import { connectOptions, failedOpening, type PlatformPort } from "./connection-link.js";
import {
  copyOfBufferSource,
  requireArguments,
  toDictionary,
  toSequence,
  toUSVString,
} from "./conversions.js";
import { describeInterface, setRequiredArguments } from "./interface-members.js";
import { outcomeOf } from "./outcome.js";
import { receivedError, toCloseFrame, WebSocketError, type WebSocketCloseInfo } from "./web-socket-error.js";
import { withFullStop } from "../shared/full-stop.js";

/** The value of `opened`. */
export interface WebSocketOpenInfo {
  readonly readable: ReadableStream<string | Uint8Array>;
  readonly writable: WritableStream<string | ArrayBuffer | ArrayBufferView>;
  /** Empty for none. */
  readonly protocol: string;
  readonly extensions: string;
}

/** The second argument of `new WebSocketStream()`. */
export interface WebSocketStreamInit<Options> {
  readonly protocols?: Iterable<string> | undefined;
  /** Aborts opening. After that it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** Settings of Holdfast, which the standard does not have. */
  readonly holdfast?: Options | undefined;
}

/** A WebSocket as a pair of streams. */
export interface StandardWebSocketStream {
  readonly url: string;
  /** Resolves once the connection is open; rejects with a WebSocketError, or the reason of the signal. */
  readonly opened: Promise<WebSocketOpenInfo>;
  /** Resolves if the connection closed cleanly; rejects otherwise, as `opened` does. */
  readonly closed: Promise<{ readonly closeCode: number; readonly reason: string }>;
  /** How the connection ended, for `explain()`; null before the end. Not in the standard. */
  readonly closeInfo: CloseInfo | null;
  /**
   * Closes the connection, after the chunks written before.
   * @throws DOMException "InvalidAccessError" or "SyntaxError" for a code or reason that may not be sent
   */
  close(closeInfo?: WebSocketCloseInfo): void;
}

/** The class `WebSocketStream`. */
export interface WebSocketStreamConstructor<Options> {
  /** @throws DOMException "SyntaxError" for an invalid URL or subprotocol */
  new (url: string | URL, init?: WebSocketStreamInit<Options>): StandardWebSocketStream;
  readonly prototype: StandardWebSocketStream;
}

/** Creates the class for a platform. */
export function defineWebSocketStream<Options extends ConnectorOptions>(
  port: PlatformPort<Options>,
): WebSocketStreamConstructor<Options> {
  class WebSocketStream implements StandardWebSocketStream {
    readonly #url: string;
    readonly #opened = new Deferred<WebSocketOpenInfo>();
    readonly #closed = new Deferred<{ readonly closeCode: number; readonly reason: string }>();
    readonly #opening = new AbortController();
    #connection: Connection | null = null;
    #closeInfo: CloseInfo | null = null;
    #readable: ReadableStreamDefaultController<string | Uint8Array> | null = null;
    #writable: WritableStreamDefaultController | null = null;
    /** All received messages have been read. */
    #hasReadAll = false;

    constructor(url: string | URL, init: WebSocketStreamInit<Options> = {}) {
      requireArguments("WebSocketStream", arguments.length, 1);
      const text = toUSVString(url);
      const given = toDictionary("init", init);
      const { protocols, signal, holdfast } = given;
      const names = protocols === undefined ? [] : toSequence("protocols", protocols);
      if (signal !== undefined && !(signal instanceof AbortSignal)) {
        throw new TypeError("Expected `signal` to be an AbortSignal.");
      }
      this.#url = parseURL(text).href;
      checkProtocols(names);
      checkOptionNames("WebSocketStream", typeof init === "object" ? given : undefined, INIT);
      void quietly(this.#opened.promise);
      void quietly(this.#closed.promise);
      const options = (holdfast ?? {}) as Options; // `checkOptions` checks the values.
      checkOptionNames("`holdfast`", options, port.optionNames, port.advice);
      this.#open(names, signal, options);
    }

    get url(): string {
      return this.#url;
    }

    get opened(): Promise<WebSocketOpenInfo> {
      return this.#opened.promise;
    }

    get closed(): Promise<{ readonly closeCode: number; readonly reason: string }> {
      return this.#closed.promise;
    }

    get closeInfo(): CloseInfo | null {
      return this.#closeInfo;
    }

    close(closeInfo?: WebSocketCloseInfo): void {
      this.#close(toCloseFrame(closeInfo));
    }

    #open(protocols: readonly string[], signal: AbortSignal | undefined, given: Options): void {
      const own = this.#opening.signal;
      const any = signal === undefined ? own : AbortSignal.any([own, signal]);
      const options = { ...connectOptions(port, { protocols, options: given }), signal: any };
      const connector = port.connector();
      const settings = connector.checkOptions(options);
      const failed = (thrown: unknown): void => {
        const cause = any.aborted ? abortedError(this.#url, thrown) : openingError(thrown);
        this.#closeInfo = failedOpening(port, settings, cause);
        this.#onFailed(thrown, signal);
      };
      connector.open(this.#url, options, null).then((connection) => {
        if (any.aborted) {
          connection.terminate();
          failed(any.reason);
        } else {
          this.#onOpen(connection);
        }
      }, failed);
    }

    #onFailed(thrown: unknown, signal: AbortSignal | undefined): void {
      const error: unknown =
        signal?.aborted === true
          ? signal.reason
          : receivedError(
              withFullStop(`The connection could not be opened: ${thrownText(thrown)}`),
              NO_CLOSE,
            );
      this.#opened.reject(error);
      this.#closed.reject(error);
    }

    #onOpen(connection: Connection): void {
      this.#connection = connection;
      const readable = new ReadableStream<string | Uint8Array>(
        {
          start: (controller) => void (this.#readable = controller),
          pull: () => this.#pull(connection),
          cancel: (reason) => this.#closeFor(reason),
        },
        { highWaterMark: 0 }, // The connection has its own queue.
      );
      const writable = new WritableStream<string | ArrayBuffer | ArrayBufferView>({
        start: (controller) => void (this.#writable = controller),
        write: (chunk) => this.#write(chunk, connection),
        close: () => this.#closeAndWait(),
        abort: (reason) => this.#closeFor(reason),
      });
      void coreOf(connection).whenEnded.then((info) => this.#onEnd(info));
      const { subprotocol, extensions } = connection;
      const opened = { readable, writable, protocol: subprotocol ?? "", extensions: extensions.join(", ") };
      this.#opened.resolve(opened);
    }

    async #pull(connection: Connection): Promise<void> {
      try {
        const message = await connection.recv();
        // The memory of received messages is never shared.
        this.#readable?.enqueue(typeof message === "string" ? message : new Uint8Array(message));
      } catch {
        this.#hasReadAll = true;
        this.#endReadable();
      }
    }

    async #write(chunk: unknown, connection: Connection): Promise<void> {
      const data = copyOfBufferSource(chunk) ?? toUSVString(chunk);
      await connection.send(data);
    }

    /** `writer.close()` settles after the closing handshake. */
    async #closeAndWait(): Promise<void> {
      this.#writable = null;
      this.#close(NO_STATUS);
      await this.#closed.promise;
    }

    #closeFor(reason: unknown): void {
      const error = errorOf(reason);
      const isError = error instanceof WebSocketError;
      this.#close(isError ? { code: error.closeCode ?? 1005, reason: error.reason } : NO_STATUS);
    }

    #close(frame: CloseFrame): void {
      if (this.#connection === null) this.#opening.abort();
      else coreOf(this.#connection).closeWithCause("local-close", frame);
    }

    #onEnd(info: CloseInfo): void {
      this.#closeInfo = info;
      const { wasClean, code, reason } = outcomeOf(info);
      if (wasClean) this.#closed.resolve({ closeCode: code, reason });
      else this.#closed.reject(this.#error(info));
      this.#writable?.error(
        wasClean
          ? new DOMException("Expected an open WebSocketStream, got one that is closed.", "InvalidStateError")
          : this.#error(info),
      );
      this.#endReadable();
    }

    /** Messages that were received before the end can still be read. */
    #endReadable(): void {
      const info = this.#closeInfo;
      const isLeft = this.#connection !== null && coreOf(this.#connection).inbox.length > 0;
      if (info === null || (isLeft && !this.#hasReadAll)) return;
      const controller = this.#readable;
      this.#readable = null;
      try {
        if (outcomeOf(info).wasClean) controller?.close();
        else controller?.error(this.#error(info));
      } catch {
        ignore(); // It was cancelled.
      }
    }

    #error(info: CloseInfo): WebSocketError {
      return receivedError(
        withFullStop(`The connection did not close cleanly: ${info.message}`),
        outcomeOf(info),
      );
    }
  }

  describeInterface(WebSocketStream, "WebSocketStream");
  setRequiredArguments(WebSocketStream.prototype, "close", 0);
  return WebSocketStream;
}

const INIT: OptionNames<WebSocketStreamInit<unknown>> = { protocols: true, signal: true, holdfast: true };

const NO_CLOSE: CloseFrame = { code: 1006, reason: "" };
