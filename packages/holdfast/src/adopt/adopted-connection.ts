// A connection as an adapter sees it: events within the call that read them, and frames that a `Connection` does not
// offer (fragments one by one, pings that nobody awaits, an empty Close).

import type { Bytes } from "../connection/arguments.js";
import { checkControlPayload } from "../connection/arguments.js";
import type { CloseInfo } from "../connection/close-info.js";
import type { ConnectionCore } from "../connection/connection-core.js";
import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import type { ConnectionObserver } from "../connection/connection-observer.js";
import { NOTHING_UNREAD, type Unread } from "../connection/reading/inbox.js";
import type { SendSettings } from "../connection/message-transport.js";
import type { CloseFrame } from "../shared/close-code.js";
import { quietly } from "../shared/deferred.js";
import type { HoldfastError } from "../shared/errors.js";
import type { FrameTransport } from "../transport/frames/frame-transport.js";

/**
 * Receives the events of an adopted connection, in the order of arrival. Its exceptions become uncaught exceptions in
 * a later tick, and do not disturb the connection.
 */
export interface AdoptedHandler {
  /** A message. `payload` is a view of the received chunk: copy it to keep it. */
  onMessage(payload: Buffer, isText: boolean): void;
  /** A Ping, which has been answered unless `autoPong` is off. */
  onPing(payload: Buffer): void;
  /** @param isKeepalive whether it answers a ping of the keepalive, which the application did not send */
  onPong(payload: Buffer, isKeepalive: boolean): void;
  /** The peer's Close arrived first. Messages may still be sent until `answerClose()`. Code 1005 means no code. */
  onClosing(code: number, reason: string): void;
  /** The peer violated the protocol. A Close has been queued; `onEnded` follows. */
  onFailure(error: HoldfastError): void;
  /** The connection has ended. Called last and once. */
  onEnded(info: CloseInfo): void;
}

/** How `AdoptedConnection.send()` sends. */
export interface AdoptedSendOptions {
  /** Compress the message, if compression was agreed on and the message is large enough. */
  readonly compress: boolean;
  /** Called when the socket gets the message; not called if the connection ends before. Must not send. */
  readonly onSent: (() => void) | null;
}

// It takes the class: nothing else may refer to it, and a bundler would leave it out.
let create: (
  Class: typeof AdoptedConnection,
  connection: Connection,
  transport: FrameTransport,
  handler: AdoptedHandler,
) => AdoptedConnection;

/** A connection that an `Adopter` made. */
export class AdoptedConnection {
  readonly #facade: Connection;
  readonly #core: ConnectionCore;
  readonly #transport: FrameTransport;
  #isAmidMessage = false;
  #pings = 0;

  static {
    create = (Class, connection, transport, handler) => new Class(connection, transport, handler);
  }

  private constructor(connection: Connection, transport: FrameTransport, handler: AdoptedHandler) {
    this.#facade = connection;
    this.#core = coreOf(connection);
    this.#transport = transport;
    this.#core.attachObserver(new Observer(handler));
  }

  /** The same connection as an object of the library, for its latency, statistics and end. Its messages go elsewhere. */
  get connection(): Connection {
    return this.#facade;
  }

  /** Bytes that wait for the peer: without those of this turn, which the socket has not been offered yet. */
  get waitingAmount(): number {
    return this.#transport.waitingAmount;
  }

  /**
   * Sends a message. Does nothing once a Close was sent.
   *
   * @param data text as a string or as UTF-8; bytes must not change until `onSent`
   * @throws InvalidArgumentError for text that is not UTF-8
   */
  send(data: string | Uint8Array, isText: boolean, options: AdoptedSendOptions = DEFAULT): void {
    void this.#core.sendTyped(data, isText, options === DEFAULT ? DEFAULT_SETTINGS : settingsOf(options));
  }

  /** Sends the next fragment of a message, uncompressed (RFC 6455 section 5.4). Does nothing once a Close was sent. */
  sendFragment(payload: Uint8Array, isText: boolean, isLast: boolean): void {
    const isFirst = !this.#isAmidMessage;
    this.#isAmidMessage = !isLast;
    const fragment = { type: isText ? "text" : "binary", payload, isFirst, isLast } as const;
    if (this.#transport.closeSent === null) void quietly(this.#core.sendFragment(fragment));
  }

  /**
   * Sends a Ping without waiting for its Pong. Does nothing once a Close was sent.
   *
   * @throws InvalidArgumentError if the payload is longer than 125 bytes (RFC 6455 section 5.5)
   */
  ping(payload: string | Bytes): void {
    const bytes = checkControlPayload(payload);
    if (this.#transport.closeSent === null) this.#transport.sendPing(`sent ${++this.#pings}`, bytes);
  }

  /**
   * Sends a Pong. Does nothing once a Close was sent.
   *
   * @throws InvalidArgumentError if the payload is longer than 125 bytes
   */
  pong(payload: string | Bytes): void {
    const bytes = checkControlPayload(payload);
    if (this.#transport.closeSent === null) this.#transport.queuePong(bytes);
  }

  /** Begins the closing handshake. Code 1005 sends a Close without a code, which `Connection.close()` cannot. */
  close(code: number, reason: string): void {
    this.#core.closeWithCause("local-close", { code, reason });
  }

  /** Answers the peer's Close. Does nothing if none waits for an answer. */
  answerClose(): void {
    this.#core.answerClose();
  }

  /** Stops reading, until `resume()`. The peer's Close waits as well, at most for `closeTimeout` once this side closes. */
  pause(): void {
    this.#core.pauseReading();
  }

  /** Reads again after `pause()`. */
  resume(): void {
    this.#core.resumeReading();
  }

  /** Writes now rather than at the end of the turn. */
  flush(): void {
    this.#transport.flush();
  }

  /** Ends the connection now, without a Close. */
  terminate(): void {
    this.#core.terminate("aborted");
  }
}

export function createAdoptedConnection(
  connection: Connection,
  transport: FrameTransport,
  handler: AdoptedHandler,
): AdoptedConnection {
  return create(AdoptedConnection, connection, transport, handler);
}

/** The exception of a listener must not reach the parser, which has work to finish. */
export function passMessage(handler: AdoptedHandler, payload: Buffer, isText: boolean): void {
  try {
    handler.onMessage(payload, isText);
  } catch (error) {
    rethrow(error);
  }
}

/** Passes events on, so that the public interface has none of the methods of an observer. */
class Observer implements ConnectionObserver {
  readonly unread: Unread = NOTHING_UNREAD;
  readonly #handler: AdoptedHandler;

  constructor(handler: AdoptedHandler) {
    this.#handler = handler;
  }

  take(): boolean {
    return true; // Messages arrive as bytes.
  }

  end(): void {
    // `onEnded` follows.
  }

  fail(): void {
    // Nothing is dropped, because nothing is queued.
  }

  onPing(payload: Uint8Array): void {
    guard(() => this.#handler.onPing(bufferOf(payload)));
  }

  onPong(payload: Uint8Array, roundTrip: number | null): void {
    guard(() => this.#handler.onPong(bufferOf(payload), roundTrip !== null));
  }

  onClosingBegun(core: ConnectionCore): void {
    if (core.transport.closeReceived !== null) core.acceptHeldMessages(); // Otherwise a pause lasts.
  }

  onClosing({ code, reason }: CloseFrame): void {
    guard(() => this.#handler.onClosing(code, reason));
  }

  onFailure(error: HoldfastError): void {
    guard(() => this.#handler.onFailure(error));
  }

  onEnded(info: CloseInfo): void {
    guard(() => this.#handler.onEnded(info));
  }
}

const DEFAULT: AdoptedSendOptions = { compress: true, onSent: null };
const DEFAULT_SETTINGS: SendSettings = { mayEncode: true, signal: null, receipt: null };

function settingsOf({ compress, onSent }: AdoptedSendOptions): SendSettings {
  return {
    mayEncode: compress,
    signal: null,
    receipt: onSent === null ? null : { onHandedOver: onSent },
  };
}

function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    rethrow(error);
  }
}

function rethrow(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

function bufferOf(payload: Uint8Array): Buffer {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
