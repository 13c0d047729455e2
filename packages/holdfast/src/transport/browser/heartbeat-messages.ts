// A heartbeat that the application makes of messages, for servers that know nothing of this library.

import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { toBytes } from "../../connection/arguments.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import type { Message } from "../../connection/inbox.js";
import { TransportDecorator } from "../link/transport-decorator.js";
import { checkBoolean, checkFunction, describe, invalidArgument } from "../../shared/option-checks.js";
import type { MessageTransportHandler, MessageTransportFactory } from "../../connection/message-transport.js";
import { HoldfastError, InvalidArgumentError } from "../../shared/errors.js";
import { thrownText } from "../../shared/thrown.js";

/**
 * How to ping a server by messages that it understands, and how to know its answers. What these functions throw ends
 * the connection: nothing could be said of the peer any more.
 */
export interface HeartbeatMessages {
  /** Makes the ping of this number; the first is 0. */
  readonly ping: (number: number) => string | Uint8Array;
  /**
   * Whether a message is the answer to a ping: the ping's number, or true where the answer does not tell, which stands
   * for the oldest ping that has none.
   */
  readonly isPong: (message: Message) => boolean | number;
  /** Whether the application sees these answers as well. @default false */
  readonly showPongs?: boolean;
}

const HEARTBEAT_MESSAGES: OptionNames<HeartbeatMessages> = { ping: true, isPong: true, showPongs: true };

/** @throws InvalidArgumentError */
export function checkHeartbeatMessages(value: unknown): HeartbeatMessages | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object")
    throw invalidArgument("heartbeat", "an object with `ping` and `isPong`", value);
  checkOptionNames("`heartbeat`", value, HEARTBEAT_MESSAGES);
  const { ping, isPong, showPongs } = value as Partial<HeartbeatMessages>;
  checkFunction("heartbeat.ping", ping);
  checkFunction("heartbeat.isPong", isPong);
  checkBoolean("heartbeat.showPongs", showPongs, false);
  return value as HeartbeatMessages; // All of it was looked at.
}

/** Gives pings to the wire below, made of messages. */
export function withHeartbeatMessages(
  below: MessageTransportFactory,
  messages: HeartbeatMessages,
): MessageTransportFactory {
  return (handler) => new HeartbeatByMessages(below, handler, messages);
}

interface SentPing {
  readonly number: number;
  readonly payload: Uint8Array;
}

/** Pings that may wait for their answer: a server that answers none must not fill our memory. */
const MAX_PINGS = 128;

const NO_PAYLOAD = new Uint8Array();

class HeartbeatByMessages extends TransportDecorator {
  readonly #messages: HeartbeatMessages;
  readonly #takeBack = new Map<string, () => void>();
  /** Those that left and were not answered, oldest first. */
  #sent: SentPing[] = [];
  #count = 0;
  #sink: PieceHandler | null = null;
  #hasFailed = false;

  constructor(below: MessageTransportFactory, handler: MessageTransportHandler, messages: HeartbeatMessages) {
    super(below, handler);
    this.#messages = messages;
  }

  override get canPing(): boolean {
    return true;
  }

  override queuePing(key: string, payload: Uint8Array): void {
    const number = this.#count++;
    const message = this.#ask("ping", () => checkPing(this.#messages.ping(number)));
    if (message === null) return;
    let hasLeft = false as boolean; // It may leave within the call below.
    const takeBack = this.wire.sendAhead(message, () => {
      hasLeft = true;
      this.#takeBack.delete(key);
      this.#sent.push({ number, payload });
      if (this.#sent.length > MAX_PINGS) this.#sent.shift();
      this.handler.onPingSent(key);
    });
    if (!hasLeft) this.#takeBack.set(key, takeBack);
  }

  override abandonPing(key: string): void {
    this.#takeBack.get(key)?.();
    this.#takeBack.delete(key);
  }

  /** Messages come whole here, so that each can be looked at. */
  override streamTo(sink: PieceHandler | null): void {
    this.#sink = sink;
  }

  override onMessage(message: Message): void {
    if (this.#hasFailed) return;
    const answered = this.#ask("isPong", () => this.#messages.isPong(message));
    if (answered === null) return;
    if (answered !== false) this.#onPong(answered);
    if (answered === false || this.#messages.showPongs === true) this.#tell(message);
  }

  /** An answer to a ping answers those before it as well: they were sent first. */
  #onPong(answered: number | true): void {
    const place = answered === true ? 0 : this.#sent.findIndex(({ number }) => number === answered);
    const ping = this.#sent.at(place);
    if (place === -1 || ping === undefined) {
      this.handler.onPong(NO_PAYLOAD); // It answers nothing, and is counted as such.
      return;
    }
    this.#sent = this.#sent.slice(place + 1);
    this.handler.onPong(ping.payload);
  }

  #tell(message: Message): void {
    const sink = this.#sink;
    this.#sink = null;
    if (sink === null) {
      this.handler.onMessage(message);
      return;
    }
    if (message.length > 0) sink.onPiece(message);
    sink.onLastPiece();
  }

  /** Null where the application's function threw, which ends the connection. */
  #ask<Answer>(name: string, call: () => Answer): Answer | null {
    try {
      return call();
    } catch (cause) {
      this.#hasFailed = true;
      this.handler.onFailure({
        cause: "handler-failed",
        error: new HoldfastError(`The function \`heartbeat.${name}\` failed: ${thrownText(cause)}`, {
          code: "ERR_HOLDFAST_HEARTBEAT",
          cause,
        }),
        close: { code: 1011, reason: "" },
      });
      return null;
    }
  }
}

function checkPing(message: unknown): Message {
  if (typeof message === "string") return message;
  const bytes = toBytes(message);
  if (bytes !== null) return bytes;
  throw new InvalidArgumentError(
    `Expected \`heartbeat.ping\` to return a string or bytes, got ${describe(message)}`,
  );
}
