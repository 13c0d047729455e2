// The upgrade of one accepted socket: reads the request, judges it, and answers (RFC 6455 section 4.2).

import type { TransportHandler } from "../connection/ports.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm, type AlarmHandler } from "../connection/timer-queue.js";
import type { SocketTransport } from "../node/socket-transport.js";
import { acceptDeflate, type NegotiatedDeflate } from "../protocol/deflate/negotiation.js";
import { HeadReader } from "../protocol/handshake/head-reader.js";
import { isHeadFailure } from "../protocol/handshake/head-failure.js";
import { parseRequestHead, type RequestHead } from "../protocol/handshake/request-head.js";
import {
  buildRefusal,
  buildUpgradeResponse,
  UPGRADE_REQUIRED,
  type Judgement,
} from "../protocol/handshake/server-handshake.js";
import type { ServeSettings } from "./options.js";

/** An upgrade that is granted; `response` is yet to be sent, and `rest` came behind the request. */
export interface Accepted {
  readonly transport: SocketTransport;
  readonly head: RequestHead;
  readonly upgrade: Extract<Judgement, { outcome: "upgrade" }>;
  /** The compression that was agreed on; null for none. */
  readonly deflate: NegotiatedDeflate | null;
  readonly response: Uint8Array;
  readonly rest: Uint8Array;
}

export interface AcceptanceOwner {
  judge(head: RequestHead): Judgement;
  onAccepted(accepted: Accepted): void;
  onRefused(refusal: { readonly status: number; readonly body: string }, transport: SocketTransport): void;
  /** The socket is gone, or belongs to a connection: this acceptance is over. */
  onOver(acceptance: Acceptance): void;
}

export class Acceptance implements TransportHandler, AlarmHandler {
  readonly #runtime: Runtime;
  readonly #transport: SocketTransport;
  readonly #settings: ServeSettings;
  readonly #owner: AcceptanceOwner;
  readonly #headReader: HeadReader;
  readonly #alarm = new Alarm(this);
  #isOver = false;
  #isAnswered = false;

  constructor(runtime: Runtime, transport: SocketTransport, settings: ServeSettings, owner: AcceptanceOwner) {
    this.#runtime = runtime;
    this.#transport = transport;
    this.#settings = settings;
    this.#owner = owner;
    this.#headReader = new HeadReader(settings.headLimits);
  }

  begin(): void {
    const { openTimeout } = this.#settings;
    if (openTimeout !== null) this.#runtime.timers.set(this.#alarm, this.#runtime.clock.now() + openTimeout);
    this.#transport.start(this);
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#isAnswered) return;
    const result = this.#headReader.push(chunk);
    if (result === "incomplete") return;
    if (isHeadFailure(result)) {
      this.#refuse(result.status, {}, result.reason);
      return;
    }
    const head = parseRequestHead(result.head);
    if (isHeadFailure(head)) {
      this.#refuse(head.status, {}, head.reason);
      return;
    }
    this.#judge(head, result.rest);
  }

  onEof(): void {
    this.#transport.end();
  }

  onError(): void {
    // `onClosed` follows, and there is nobody to tell yet.
  }

  onDrain(): void {
    // An answer is small; nothing waits for room.
  }

  onClosed(): void {
    this.#finish();
  }

  /** A client that is mute or slow does not hold its socket for ever (RFC 9110 section 15.5.9). */
  onAlarm(): void {
    if (this.#isAnswered) this.#transport.destroy();
    else this.#refuse(408, {}, `Expected an upgrade request within ${this.#settings.openTimeout} ms.`);
  }

  destroy(): void {
    this.#transport.destroy();
  }

  #judge(head: RequestHead, rest: Uint8Array): void {
    const judgement = this.#owner.judge(head);
    switch (judgement.outcome) {
      case "refuse": {
        this.#refuse(judgement.status, judgement.headers, judgement.body);
        return;
      }
      case "not-websocket": {
        this.#refuse(UPGRADE_REQUIRED.status, UPGRADE_REQUIRED.headers, UPGRADE_REQUIRED.body);
        return;
      }
      case "upgrade": {
        const { key, subprotocol, extensionOffer } = judgement;
        const { compression } = this.#settings.connection;
        const deflate = compression === null ? null : acceptDeflate(extensionOffer, compression);
        const response = buildUpgradeResponse({ key, subprotocol, extensions: deflate?.header ?? null });
        this.#isAnswered = true;
        this.#finish();
        this.#owner.onAccepted({
          transport: this.#transport,
          head,
          upgrade: judgement,
          deflate,
          response,
          rest,
        });
      }
    }
  }

  /** Answers, and gives the client the rest of its time to read it and to end the connection. */
  #refuse(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.#isAnswered = true;
    this.#transport.write([buildRefusal({ status, headers, body })]);
    this.#transport.end();
    if (!this.#alarm.isSet) this.#runtime.timers.set(this.#alarm, this.#runtime.clock.now() + LINGER);
    this.#owner.onRefused({ status, body }, this.#transport);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#runtime.timers.cancel(this.#alarm);
    this.#owner.onOver(this);
  }
}

/** Milliseconds that a refused client has to end its side: ending ours at once could destroy the answer on its way. */
const LINGER = 1000;
