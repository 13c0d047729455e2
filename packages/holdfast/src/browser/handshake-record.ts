// The page's record of the opening handshake: its request, and the parts of the response that browsers expose.

import type { HandshakeRecord, HandshakeRequest, HandshakeResponse } from "../connection/handshake-record.js";
import type { BrowserURL } from "./browser-url.js";

/** The native `WebSocket` after its handshake. In Cloudflare Workers both are null where the standard has "". */
export interface NativeHandshake {
  readonly extensions: string | null;
  readonly protocol: string | null;
}

export class BrowserHandshakeRecord implements HandshakeRecord {
  readonly url: string;
  readonly subprotocol: string | null;
  readonly extensions: readonly string[];
  readonly #target: string;
  readonly #offered: readonly string[];
  readonly #answered: string;

  constructor(
    url: BrowserURL,
    offered: readonly string[],
    socket: NativeHandshake,
    subprotocol: string | null,
  ) {
    this.url = url.href;
    this.subprotocol = subprotocol;
    this.extensions = splitExtensions(socket.extensions);
    this.#target = url.target;
    this.#offered = offered;
    this.#answered = socket.protocol ?? "";
  }

  get request(): HandshakeRequest {
    const headers = new Headers();
    if (this.#offered.length > 0) headers.set("Sec-WebSocket-Protocol", this.#offered.join(", "));
    return { method: "GET", target: this.#target, headers };
  }

  get response(): HandshakeResponse {
    const headers = new Headers();
    if (this.#answered !== "") headers.set("Sec-WebSocket-Protocol", this.#answered);
    if (this.extensions.length > 0) headers.set("Sec-WebSocket-Extensions", this.extensions.join(", "));
    return { status: 101, headers };
  }
}

function splitExtensions(text: string | null): readonly string[] {
  return text === null || text === "" ? [] : text.split(",").map((name) => name.trim());
}
