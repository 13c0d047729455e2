// The client's opening handshake, with Node's own HTTP client: the events `upgrade`, `unexpected-response` and `redirect`
// and the options `agent`, `createConnection` and `finishRequest` of `ws` pass its objects on.

import { randomBytes } from "node:crypto";
import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import type { Adopter } from "holdfast/adapter";
import { checkAnswer } from "./client-answer.js";
import type { ClientOptions } from "./client-options.js";
import { ClientRequests } from "./client-request.js";
import { CONNECTING, PROTOCOL_VERSIONS } from "./constants.js";
import { ClientHandshakeRecord } from "./handshake-records.js";
import { createAdopter } from "./options.js";
import { checkProtocols } from "./subprotocols.js";
import { checkUrl, parseUrl } from "./url.js";
import type { WebSocket } from "./web-socket.js";

/** Opens a client's WebSocket. @throws SyntaxError, RangeError, TypeError for invalid arguments */
export function openClient(
  websocket: WebSocket,
  address: string | URL,
  protocols: readonly unknown[],
  options: ClientOptions,
): void {
  const { protocolVersion = 13 } = options;
  if (!PROTOCOL_VERSIONS.includes(protocolVersion)) {
    const supported = PROTOCOL_VERSIONS.join(", ");
    throw new RangeError(
      `Unsupported protocol version: ${protocolVersion} (supported versions: ${supported})`,
    );
  }
  const url = parseUrl(address);
  checkUrl(url);
  const offered = checkProtocols(protocols);
  const adopter = createAdopter("client", { perMessageDeflate: true, ...options });
  const handshake = new ClientHandshake(websocket, { ...options, protocolVersion }, offered, adopter);
  handshake.begin(url);
}

class ClientHandshake {
  readonly #websocket: WebSocket;
  readonly #options: ClientOptions;
  readonly #offered: ReadonlySet<string>;
  readonly #adopter: Adopter;
  readonly #requests: ClientRequests;
  #key = "";
  #request: ClientRequest | null = null;
  #isAborted = false;

  constructor(websocket: WebSocket, options: ClientOptions, offered: ReadonlySet<string>, adopter: Adopter) {
    this.#websocket = websocket;
    this.#options = options;
    this.#offered = offered;
    this.#adopter = adopter;
    this.#requests = new ClientRequests(options, offered, adopter);
  }

  begin(url: URL): void {
    this.#websocket._abort = (error) => this.#abort(error);
    this.#send(url);
  }

  #send(url: URL): void {
    const { handshakeTimeout, finishRequest, followRedirects } = this.#options;
    const websocket = this.#websocket;
    const isRedirected = websocket._redirects > 0;
    websocket._url = url.href;
    this.#key = randomBytes(16).toString("base64");
    const redirect = isRedirected ? { isListenedTo: websocket.listenerCount("redirect") > 0 } : null;
    const prepared = this.#requests.prepare(url, this.#key, redirect);
    const request = (url.protocol === "wss:" ? https : http).request(prepared as https.RequestOptions);
    this.#request = websocket._req = request;
    if (isRedirected && followRedirects) websocket.emit("redirect", websocket.url, request);
    if (handshakeTimeout !== undefined && handshakeTimeout > 0) {
      request.on("timeout", () => this.#abort(new Error("Opening handshake has timed out")));
    }
    request.on("error", (error) => {
      if (this.#request !== request || this.#isAborted) return;
      this.#fail(error);
    });
    request.on("response", (response) => this.#onResponse(url, request, response));
    request.on("upgrade", (response: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#onUpgrade(request, response, [socket, head]),
    );
    if (finishRequest) finishRequest(request, websocket);
    else request.end();
  }

  #onResponse(url: URL, request: ClientRequest, response: IncomingMessage): void {
    const { statusCode = 0, headers } = response;
    const { followRedirects, maxRedirects = 10 } = this.#options;
    const { location = "" } = headers;
    const websocket = this.#websocket;
    if (location !== "" && followRedirects && statusCode >= 300 && statusCode < 400) {
      if (++websocket._redirects > maxRedirects) {
        this.#abort(new Error("Maximum redirects exceeded"));
        return;
      }
      this.#request = null;
      request.on("error", () => undefined); // It has been answered.
      request.destroy();
      this.#redirect(location, url);
    } else if (!websocket.emit("unexpected-response", request, response)) {
      this.#abort(new Error(`Unexpected server response: ${statusCode}`));
    }
  }

  #redirect(location: string, from: URL): void {
    let next: URL;
    try {
      next = parseUrl(location, from);
      this.#websocket._url = next.href;
      checkUrl(next);
    } catch (error) {
      this.#fail(error as Error); // A SyntaxError of the two functions.
      return;
    }
    this.#send(next);
  }

  #onUpgrade(
    request: ClientRequest,
    response: IncomingMessage,
    [socket, head]: readonly [Duplex, Buffer],
  ): void {
    const websocket = this.#websocket;
    websocket.emit("upgrade", response);
    if (websocket.readyState !== CONNECTING) return; // A listener has closed it.
    this.#finish();
    const offer = { key: this.#key, offered: this.#offered, adopter: this.#adopter };
    const answer = checkAnswer(response, offer);
    if (typeof answer === "string") {
      websocket._beginFailing();
      socket.once("error", (error) => websocket.emit("error", error));
      socket.once("close", () => websocket._emitClose());
      socket.destroy(new Error(answer));
      return;
    }
    const handshake = new ClientHandshakeRecord(websocket.url, [request, response], answer);
    websocket.setSocket(socket, head, this.#options, { adopter: this.#adopter, handshake });
  }

  #abort(error: Error): void {
    const request = this.#request;
    if (this.#isAborted || request === null) return;
    this.#isAborted = true;
    this.#websocket._beginFailing();
    request.destroy();
    // After a response has been received, the request no longer destroys its socket.
    if (request.socket?.destroyed === false) {
      request.socket.destroy();
    }
    process.nextTick(() => this.#fail(error));
  }

  #fail(error: Error): void {
    this.#finish();
    this.#websocket._fail(error);
  }

  #finish(): void {
    this.#websocket._abort = null;
    this.#request = this.#websocket._req = null;
  }
}
