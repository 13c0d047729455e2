// A heartbeat of application messages, for servers without the link protocol.

import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { toBytes } from "../../connection/arguments.js";
import type { Message } from "../../connection/reading/inbox.js";
import { TransportDecorator } from "../link/transport-decorator.js";
import { describe } from "../../shared/option-checks.js";
import type { MessageTransportHandler, MessageTransportFactory } from "../../connection/message-transport.js";
import { HoldfastError, InvalidArgumentError } from "../../shared/errors.js";
import { thrownText } from "../../shared/thrown.js";
import type { HeartbeatMessages } from "./heartbeat-option.js";
import { withFullStop } from "../../shared/full-stop.js";

/** Adds pings, in the form of messages, to a transport that has none. */
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

/** Maximum number of unanswered pings: a server that answers none must not fill our memory. */
const MAX_PINGS = 128;

const NO_PAYLOAD = new Uint8Array();

class HeartbeatByMessages extends TransportDecorator {
  readonly #messages: HeartbeatMessages;
  /** Unsent pings and their cancel functions. */
  readonly #waitingPings = new Map<string, () => void>();
  /** Pings that have been sent and not answered, oldest first. */
  #sent: SentPing[] = [];
  #count = 0;
  #pieceHandler: PieceHandler | null = null;
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
    let hasLeft = false as boolean; // The message may be sent during the call below.
    const withdraw = this.transport.sendAhead(message, () => {
      hasLeft = true;
      this.#waitingPings.delete(key);
      this.#sent.push({ number, payload });
      if (this.#sent.length > MAX_PINGS) this.#sent.shift();
      this.handler.onPingSent(key);
    });
    if (!hasLeft) this.#waitingPings.set(key, withdraw);
  }

  override abandonPing(key: string): void {
    this.#waitingPings.get(key)?.();
    this.#waitingPings.delete(key);
  }

  /** Delivers whole messages, so that each one can be tested. */
  override streamTo(handler: PieceHandler | null): void {
    this.#pieceHandler = handler;
  }

  override onMessage(message: Message): void {
    if (this.#hasFailed) return;
    const answered = this.#ask("isPong", () => checkAnswer(this.#messages.isPong(message)));
    if (answered === null) return;
    if (answered !== false) this.#onPong(answered);
    if (answered === false || this.#messages.showPongs === true) this.#deliver(message);
  }

  /** An answer to a ping also answers all earlier pings. */
  #onPong(answered: number | true): void {
    const place = answered === true ? 0 : this.#sent.findIndex(({ number }) => number === answered);
    const ping = this.#sent.at(place);
    if (place === -1 || ping === undefined) {
      this.handler.onPong(NO_PAYLOAD); // It answers no ping, and counts as an unsolicited pong.
      return;
    }
    this.#sent = this.#sent.slice(place + 1);
    this.handler.onPong(ping.payload);
  }

  #deliver(message: Message): void {
    const handler = this.#pieceHandler;
    this.#pieceHandler = null;
    if (handler === null) {
      this.handler.onMessage(message);
      return;
    }
    if (message.length > 0) handler.onPiece(message);
    handler.onLastPiece();
  }

  /** Null if the application's function threw, which ends the connection. */
  #ask<Answer>(name: string, call: () => Answer): Answer | null {
    try {
      return call();
    } catch (cause) {
      this.#hasFailed = true;
      this.handler.onFailure({
        cause: "handler-failed",
        error: new HoldfastError(
          withFullStop(`The function \`heartbeat.${name}\` failed: ${thrownText(cause)}`),
          {
            code: "ERR_HOLDFAST_HEARTBEAT",
            cause,
          },
        ),
        close: { code: 1011, reason: "" },
      });
      return null;
    }
  }
}

/** A function that forgets to return, or that is async, would hide every message. */
function checkAnswer(answer: unknown): boolean | number {
  if (typeof answer === "boolean" || typeof answer === "number") return answer;
  throw new InvalidArgumentError(
    `Expected \`heartbeat.isPong\` to return a number, true or false, got ${describe(answer)}.`,
  );
}

function checkPing(message: unknown): string | Uint8Array {
  if (typeof message === "string") return message;
  const bytes = toBytes(message);
  if (bytes !== null) return bytes;
  throw new InvalidArgumentError(
    `Expected \`heartbeat.ping\` to return a string or bytes, got ${describe(message)}.`,
  );
}
