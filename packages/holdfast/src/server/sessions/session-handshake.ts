// The handshake of a session's connection: that of its first socket, with what the newest socket has changed.

import type {
  HandshakeRecord,
  HandshakeRequest,
  HandshakeResponse,
} from "../../connection/handshake-record.js";
import type { Address } from "../../connection/ports.js";

export class SessionHandshake implements HandshakeRecord {
  readonly #first: HandshakeRecord;
  #newest: HandshakeRecord;

  constructor(first: HandshakeRecord) {
    this.#first = first;
    this.#newest = first;
  }

  /** Another socket continues the session. */
  renew(newest: HandshakeRecord): void {
    this.#newest = newest;
  }

  get url(): string {
    return this.#first.url;
  }

  get request(): HandshakeRequest {
    return this.#first.request;
  }

  get response(): HandshakeResponse {
    return this.#first.response;
  }

  get subprotocol(): string | null {
    return this.#first.subprotocol;
  }

  get extensions(): readonly string[] {
    return this.#first.extensions;
  }

  get remoteAddress(): Address | null {
    return this.#newest.remoteAddress ?? null;
  }

  /** A client's rights may have changed: what `onRequest` found out last counts. */
  get data(): unknown {
    return this.#newest.data;
  }
}
