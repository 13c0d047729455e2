// The opening handshake for `websocket.holdfast.request` and the like. Made on demand: most connections never need it.

import type { ClientRequest, IncomingMessage } from "node:http";
import type { AdoptedHandshake, AgreedCompression } from "holdfast/adapter";

type HandshakeRequest = AdoptedHandshake["request"];
type HandshakeResponse = AdoptedHandshake["response"];

export class ServerHandshake implements AdoptedHandshake {
  readonly subprotocol: string | null;
  readonly compression: AgreedCompression | null;
  readonly #target: string;
  readonly #rawHeaders: readonly string[];
  readonly #isSecure: boolean;
  readonly #answer: readonly string[];

  /** @param answer the lines of the response */
  constructor(
    request: IncomingMessage,
    answer: readonly string[],
    {
      isSecure,
      protocol,
      compression,
    }: { isSecure: boolean; protocol: string; compression: AgreedCompression | null },
  ) {
    this.#target = request.url ?? "/";
    this.#rawHeaders = (request as Partial<IncomingMessage>).rawHeaders ?? [];
    this.#isSecure = isSecure;
    this.#answer = answer;
    this.subprotocol = protocol === "" ? null : protocol;
    this.compression = compression;
  }

  get url(): string {
    const host = this.request.headers.get("Host") ?? "";
    return `${this.#isSecure ? "wss" : "ws"}://${host}${this.#target}`;
  }

  get request(): HandshakeRequest {
    return { method: "GET", target: this.#target, headers: headersOf(this.#rawHeaders) };
  }

  get response(): HandshakeResponse {
    const fields = this.#answer.slice(1).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 0 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    return { status: 101, headers: headersOf(fields) };
  }
}

export class ClientHandshakeRecord implements AdoptedHandshake {
  readonly url: string;
  readonly subprotocol: string | null;
  readonly compression: AgreedCompression | null;
  readonly #request: ClientRequest;
  readonly #rawHeaders: readonly string[];

  constructor(
    url: string,
    [request, response]: readonly [ClientRequest, IncomingMessage],
    { protocol, compression }: { protocol: string; compression: AgreedCompression | null },
  ) {
    this.url = url;
    this.#request = request;
    this.#rawHeaders = response.rawHeaders;
    this.subprotocol = protocol === "" ? null : protocol;
    this.compression = compression;
  }

  get request(): HandshakeRequest {
    const fields = Object.entries(this.#request.getHeaders()).flatMap(([name, value]) =>
      [value].flat().flatMap((each) => [name, String(each)]),
    );
    return { method: "GET", target: this.#request.path, headers: headersOf(fields) };
  }

  get response(): HandshakeResponse {
    return { status: 101, headers: headersOf(this.#rawHeaders) };
  }
}

/** A handshake of which nothing is known: the application called `setSocket()` itself. */
export const UNKNOWN_HANDSHAKE: AdoptedHandshake = {
  url: "ws://localhost/",
  subprotocol: null,
  compression: null,
  get request() {
    return { method: "GET", target: "/", headers: new Headers() };
  },
  get response() {
    return { status: 101, headers: new Headers() };
  },
};

/** Skips what `Headers` does not accept, such as values that Node's lenient parser lets through. */
function headersOf(fields: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < fields.length; index += 2) {
    try {
      headers.append(fields[index] ?? "", fields[index + 1] ?? "");
    } catch {
      // Not a valid field.
    }
  }
  return headers;
}
