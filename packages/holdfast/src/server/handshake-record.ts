// What a server keeps of an opening handshake: the request's head, and what it agreed to.

import type { HandshakeRecord, HandshakeRequest, HandshakeResponse } from "../connection/handshake-record.js";
import { acceptKey } from "../protocol/handshake/accept-key.js";
import type { RequestHead } from "../protocol/handshake/request-head.js";
import type { Judgement } from "../protocol/handshake/server-handshake.js";

const NO_EXTENSIONS: readonly string[] = [];

export class ServerHandshakeRecord implements HandshakeRecord {
  readonly subprotocol: string | null;
  readonly #head: RequestHead;
  readonly #target: string;
  readonly #isSecure: boolean;

  constructor(head: RequestHead, upgrade: Extract<Judgement, { outcome: "upgrade" }>, isSecure: boolean) {
    this.subprotocol = upgrade.subprotocol;
    this.#head = head;
    this.#target = upgrade.target;
    this.#isSecure = isSecure;
  }

  get url(): string {
    return `${this.#isSecure ? "wss" : "ws"}://${this.#head.headers.get("Host") ?? ""}${this.#target}`;
  }

  get extensions(): readonly string[] {
    return NO_EXTENSIONS;
  }

  get request(): HandshakeRequest {
    return { method: this.#head.method, target: this.#target, headers: this.#head.headers.toHeaders() };
  }

  get response(): HandshakeResponse {
    const headers = new Headers({
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Accept": acceptKey(this.#head.headers.get("Sec-WebSocket-Key") ?? ""),
    });
    if (this.subprotocol !== null) headers.set("Sec-WebSocket-Protocol", this.subprotocol);
    return { status: 101, headers };
  }
}
