// The server's record of an opening handshake: the request's head and the negotiated parameters.

import type {
  HandshakeRecord,
  HandshakeRequest,
  HandshakeResponse,
} from "../../connection/handshake-record.js";
import type { Address } from "../../connection/ports.js";
import { acceptKey } from "../../protocol/handshake/accept-key.js";
import type { HeaderField } from "../../protocol/handshake/header-input.js";
import type { HeaderList } from "../../protocol/handshake/header-list.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import { EMPTY_GRANT, type CheckedGrant } from "./request-answer.js";

/** Negotiated parameters that do not follow from the request. */
export interface NegotiatedParameters {
  /** Path and query. */
  readonly target: string;
  readonly subprotocol: string | null;
  /** The value of Sec-WebSocket-Protocol in the response; null for no such header. */
  readonly subprotocolAnswer: string | null;
  readonly extensions: readonly string[];
  readonly isSecure: boolean;
  readonly isHttp2: boolean;
  /** Null for most connections, to save memory. */
  readonly extras: HandshakeExtras | null;
}

/** Values that trusted proxies and `onRequest` add to a handshake. */
export interface HandshakeExtras {
  /** The client's address as the proxies report it; null if the socket's peer is the client. */
  readonly remoteAddress: Address | null;
  /** The host that the client requested from a proxy; null if the Host header counts. */
  readonly host: string | null;
  /** Additional headers of the response. */
  readonly headers: readonly HeaderField[];
  readonly data: unknown;
}

/** Returns null for most connections, to save memory. */
export function extrasOf(origin: RequestOrigin, grant: CheckedGrant): HandshakeExtras | null {
  if (origin.isForwarded !== true && grant === EMPTY_GRANT) return null;
  const remoteAddress = origin.isForwarded === true ? origin.transport.remoteAddress : null;
  return { remoteAddress, host: origin.host ?? null, ...grant };
}

export class ServerHandshakeRecord implements HandshakeRecord {
  readonly subprotocol: string | null;
  readonly extensions: readonly string[];
  readonly #headers: HeaderList;
  readonly #subprotocolAnswer: string | null;
  readonly #target: string;
  readonly #isSecure: boolean;
  readonly #isHttp2: boolean;
  #extras: HandshakeExtras | null;

  constructor(headers: HeaderList, negotiated: NegotiatedParameters) {
    this.subprotocol = negotiated.subprotocol;
    this.extensions = negotiated.extensions;
    this.#headers = headers;
    this.#subprotocolAnswer = negotiated.subprotocolAnswer;
    this.#target = negotiated.target;
    this.#isSecure = negotiated.isSecure;
    this.#isHttp2 = negotiated.isHttp2;
    this.#extras = negotiated.extras;
  }

  get remoteAddress(): Address | null {
    return this.#extras?.remoteAddress ?? null;
  }

  get data(): unknown {
    return this.#extras?.data;
  }

  renew({ remoteAddress = null, data }: HandshakeRecord): void {
    const { host = null, headers = [] } = this.#extras ?? {};
    this.#extras = { remoteAddress, host, headers, data };
  }

  get url(): string {
    const host = this.#extras?.host ?? this.#headers.get("Host") ?? "";
    return `${this.#isSecure ? "wss" : "ws"}://${host}${this.#target}`;
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
    for (const [name, value] of this.#extras?.headers ?? []) headers.append(name, value);
    return { status: this.#isHttp2 ? 200 : 101, headers };
  }
}
