// The types of the classes `WebSocket` and `ResumableWebSocket`.

import type { CloseInfo } from "../connection/close-info.js";
import type { CloseEvent } from "./events.js";

/** The events of a WebSocket, by name. */
export interface WebSocketEvents {
  readonly open: Event;
  readonly message: MessageEvent;
  /** Before `close`, if the connection did not end cleanly. */
  readonly error: Event;
  readonly close: CloseEvent;
}

/** A function, or an object with the method `handleEvent`. */
export type WebSocketListener<Name extends keyof WebSocketEvents> =
  ((event: WebSocketEvents[Name]) => unknown) | { handleEvent(event: WebSocketEvents[Name]): unknown };

/** Options that belong to the class itself. */
export interface BufferOptions {
  /**
   * The number of bytes that `send()` may leave unsent, as `bufferedAmount` counts them; null for no limit. The standard's
   * `send()` cannot wait, so a message beyond the limit ends the connection (`error`, then `close` with 1006), and
   * `closeInfo.error` says so. @default 67108864
   */
  readonly maxBufferedAmount?: number | null | undefined;
}

/** A WebSocket of the WHATWG standard (https://websockets.spec.whatwg.org), with two more properties. */
export interface StandardWebSocket extends EventTarget {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  /** The URL with the scheme ws or wss. */
  readonly url: string;
  /** CONNECTING, OPEN, CLOSING or CLOSED. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** Payload bytes that were passed to `send()` and that the network has not accepted yet. */
  readonly bufferedAmount: number;
  /** The extensions in use, such as "permessage-deflate"; empty before `open`. */
  readonly extensions: string;
  /** The agreed subprotocol; empty for none, and before `open`. */
  readonly protocol: string;
  /** The form of received binary messages. @default "blob" */
  binaryType: "arraybuffer" | "blob";
  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onerror: ((event: Event) => unknown) | null;
  onclose: ((event: CloseEvent) => unknown) | null;
  /** How the connection ended, for `explain()`; null before the end. Not in the standard. */
  readonly closeInfo: CloseInfo | null;
  /** Round-trip time of the newest answered ping in milliseconds; null before the first. Not in the standard. */
  readonly latency: number | null;
  /**
   * Sends a message.
   *
   * @throws DOMException "InvalidStateError" before `open`. After the end it only raises `bufferedAmount`
   */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void;
  /**
   * Closes the connection, after the messages sent before.
   *
   * @param code 1000 or 3000–4999; without one, the Close frame is empty, and the peer sees 1005. A
   *   `ResumableWebSocket` then sends 1000, which ends the session at both ends
   * @param reason at most 123 bytes of UTF-8. @default ""
   * @throws DOMException "InvalidAccessError" for another code, "SyntaxError" for a longer reason
   */
  close(code?: number, reason?: string): void;
  addEventListener<Name extends keyof WebSocketEvents>(
    type: Name,
    listener: WebSocketListener<Name> | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  removeEventListener<Name extends keyof WebSocketEvents>(
    type: Name,
    listener: WebSocketListener<Name> | null,
    options?: EventListenerOptions | boolean,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: EventListenerOptions | boolean,
  ): void;
}

/** A class of WebSockets. */
export interface WebSocketConstructor<Options> {
  /**
   * @param url `ws:` or `wss:` (`http:` and `https:` are equivalent), in a page also relative to the page
   * @param protocols one subprotocol, or a list of them
   * @param init settings of Holdfast, which the standard does not have
   * @throws DOMException "SyntaxError" for an invalid URL or subprotocol
   * @throws InvalidArgumentError for an invalid option of Holdfast
   */
  new (
    url: string | URL,
    protocols?: string | Iterable<string>,
    init?: { readonly holdfast?: Options | undefined },
  ): StandardWebSocket;
  readonly prototype: StandardWebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}
