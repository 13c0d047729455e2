// What a server keeps of an opening handshake: the request's head, and what it agreed to.

import type {
  HandshakeRecord,
  HandshakeRequest,
  HandshakeResponse,
} from "../../connection/handshake-record.js";
import { acceptKey } from "../../protocol/handshake/accept-key.js";
import type { HeaderList } from "../../protocol/handshake/header-list.js";

/** What was agreed to, beside what follows from the request. */
export interface Agreement {
  /** Path and query. */
  readonly target: string;
  readonly subprotocol: string | null;
  /** The value of Sec-WebSocket-Protocol; null for no such header. */
  readonly subprotocolAnswer: string | null;
  readonly extensions: readonly string[];
  readonly isSecure: boolean;
  readonly isHttp2: boolean;
}

export class ServerHandshakeRecord implements HandshakeRecord {
  readonly subprotocol: string | null;
  readonly extensions: readonly string[];
  readonly #headers: HeaderList;
  readonly #subprotocolAnswer: string | null;
  readonly #target: string;
  readonly #isSecure: boolean;
  readonly #isHttp2: boolean;

  constructor(headers: HeaderList, agreement: Agreement) {
    this.subprotocol = agreement.subprotocol;
    this.extensions = agreement.extensions;
    this.#headers = headers;
    this.#subprotocolAnswer = agreement.subprotocolAnswer;
    this.#target = agreement.target;
    this.#isSecure = agreement.isSecure;
    this.#isHttp2 = agreement.isHttp2;
  }

  get url(): string {
    return `${this.#isSecure ? "wss" : "ws"}://${this.#headers.get("Host") ?? ""}${this.#target}`;
  }

  get request(): HandshakeRequest {
    return {
      method: this.#isHttp2 ? "CONNECT" : "GET",
      target: this.#target,
      headers: this.#headers.toHeaders(),
    };
  }

  get response(): HandshakeResponse {
    const headers = this.#isHttp2
      ? new Headers()
      : new Headers({
          Upgrade: "websocket",
          Connection: "Upgrade",
          "Sec-WebSocket-Accept": acceptKey(this.#headers.get("Sec-WebSocket-Key") ?? ""),
        });
    if (this.#subprotocolAnswer !== null) headers.set("Sec-WebSocket-Protocol", this.#subprotocolAnswer);
    if (this.extensions.length > 0) headers.set("Sec-WebSocket-Extensions", this.extensions.join(", "));
    return { status: this.#isHttp2 ? 200 : 101, headers };
  }
}
