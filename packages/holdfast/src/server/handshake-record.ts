// What a server keeps of an opening handshake: the request's head, and what it agreed to.

import type { HandshakeRecord, HandshakeRequest, HandshakeResponse } from "../connection/handshake-record.js";
import { acceptKey } from "../protocol/handshake/accept-key.js";
import type { HeaderList } from "../protocol/handshake/header-list.js";
import type { Judgement } from "../protocol/handshake/server-handshake.js";

const NO_EXTENSIONS: readonly string[] = [];

export class ServerHandshakeRecord implements HandshakeRecord {
  readonly subprotocol: string | null;
  readonly #headers: HeaderList;
  readonly #target: string;
  readonly #isSecure: boolean;

  constructor(headers: HeaderList, upgrade: Extract<Judgement, { outcome: "upgrade" }>, isSecure: boolean) {
    this.subprotocol = upgrade.subprotocol;
    this.#headers = headers;
    this.#target = upgrade.target;
    this.#isSecure = isSecure;
  }

  get url(): string {
    return `${this.#isSecure ? "wss" : "ws"}://${this.#headers.get("Host") ?? ""}${this.#target}`;
  }

  get extensions(): readonly string[] {
    return NO_EXTENSIONS;
  }

  get request(): HandshakeRequest {
    return { method: "GET", target: this.#target, headers: this.#headers.toHeaders() };
  }

  get response(): HandshakeResponse {
    const headers = new Headers({
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Accept": acceptKey(this.#headers.get("Sec-WebSocket-Key") ?? ""),
    });
    if (this.subprotocol !== null) headers.set("Sec-WebSocket-Protocol", this.subprotocol);
    return { status: 101, headers };
  }
}
