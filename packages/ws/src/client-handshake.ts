// The client's opening handshake, with Node's own HTTP client: the events `upgrade`, `unexpected-response` and `redirect`
// and the options `agent`, `createConnection` and `finishRequest` of `ws` pass its objects on.

import { randomBytes } from "node:crypto";
import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { openSocket, type Adopter, type AgreedCompression } from "holdfast/adapter";
import { acceptKey } from "./accept-key.js";
import type { ClientOptions } from "./client-options.js";
import { CONNECTING, PROTOCOL_VERSIONS } from "./constants.js";
import { ClientHandshakeRecord } from "./handshake-records.js";
import { createAdopter } from "./options.js";
import { redirectedHeaders, splitIpcPath, type FirstRequest } from "./redirects.js";
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
  const { protocolVersion = 13, perMessageDeflate = true } = options;
  if (!PROTOCOL_VERSIONS.includes(protocolVersion)) {
    const supported = PROTOCOL_VERSIONS.join(", ");
    throw new RangeError(
      `Unsupported protocol version: ${protocolVersion} (supported versions: ${supported})`,
    );
  }
  const url = parseUrl(address);
  checkUrl(url);
  const offered = checkProtocols(protocols);
  const adopter = createAdopter("client", { ...options, perMessageDeflate });
  const handshake = new ClientHandshake(websocket, { ...options, protocolVersion }, offered, adopter);
  handshake.begin(url);
}

class ClientHandshake {
  readonly #websocket: WebSocket;
  readonly #options: ClientOptions;
  readonly #offered: ReadonlySet<string>;
  readonly #adopter: Adopter;
  #key = "";
  #request: ClientRequest | null = null;
  #isAborted = false;
  /** The first request, which decides what a redirect may carry; null without `followRedirects`. */
  #first: FirstRequest | null = null;

  constructor(websocket: WebSocket, options: ClientOptions, offered: ReadonlySet<string>, adopter: Adopter) {
    this.#websocket = websocket;
    this.#options = options;
    this.#offered = offered;
    this.#adopter = adopter;
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
    const prepared = this.#prepare(url, isRedirected);
    const request = (url.protocol === "wss:" ? https : http).request(prepared as https.RequestOptions);
    this.#request = websocket._req = request;
    if (isRedirected && followRedirects === true) websocket.emit("redirect", websocket.url, request);
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
    if (finishRequest === undefined) request.end();
    else finishRequest(request, websocket);
  }

  /** The options of `http.request()`. */
  #prepare(url: URL, isRedirected: boolean): object {
    const options = this.#options;
    const isSecure = url.protocol === "wss:";
    const isIpc = url.protocol === "ws+unix:";
    const { hostname } = url;
    const target = url.pathname + url.search;
    const [socketPath, path] = isIpc ? splitIpcPath(target) : [undefined, target];
    const carried = this.#carry(url, socketPath, isRedirected);
    return {
      ...options,
      createConnection: options.createConnection ?? (isSecure ? tlsConnect : netConnect),
      defaultPort: options.defaultPort ?? (isSecure ? 443 : 80),
      port: url.port === "" ? (isSecure ? 443 : 80) : url.port,
      host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
      hostname: undefined,
      headers: { ...carried.headers, ...this.#ownHeaders() },
      auth: carried.auth,
      path,
      socketPath,
      timeout: options.handshakeTimeout,
      method: "GET",
      protocol: undefined,
      protocols: undefined,
    };
  }

  /** The application's headers and credentials, as far as they may go to `url`. */
  #carry(
    url: URL,
    socketPath: string | undefined,
    isRedirected: boolean,
  ): ReturnType<typeof redirectedHeaders> {
    const { followRedirects, headers, auth } = this.#options;
    const hasUserInfo = url.username !== "" || url.password !== "";
    const userInfo = hasUserInfo ? `${decode(url.username)}:${decode(url.password)}` : (auth ?? undefined);
    const given = { ...(headers as http.OutgoingHttpHeaders | undefined) };
    if (followRedirects !== true) return { headers: given, auth: userInfo };
    this.#first ??= {
      headers: Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])),
      auth: userInfo,
      host: socketPath ?? url.host,
      isIpc: socketPath !== undefined,
      isSecure: url.protocol === "wss:",
    };
    const isListenedTo = this.#websocket.listenerCount("redirect") > 0;
    return redirectedHeaders(this.#first, url, {
      socketPath,
      mayDrop: isRedirected && !isListenedTo,
      userInfo,
    });
  }

  #ownHeaders(): http.OutgoingHttpHeaders {
    const { origin, protocolVersion = 13 } = this.#options;
    const extensions = this.#adopter.offerCompression();
    return {
      "Sec-WebSocket-Version": protocolVersion,
      "Sec-WebSocket-Key": this.#key,
      Connection: "Upgrade",
      Upgrade: "websocket",
      // One offer, as `ws` makes: the second is for servers that decline the first.
      ...(extensions === null ? {} : { "Sec-WebSocket-Extensions": extensions.split(",", 1)[0] }),
      ...(this.#offered.size === 0 ? {} : { "Sec-WebSocket-Protocol": [...this.#offered].join(",") }),
      ...(origin === undefined || origin === ""
        ? {}
        : { [protocolVersion < 13 ? "Sec-WebSocket-Origin" : "Origin"]: origin }),
    };
  }

  #onResponse(url: URL, request: ClientRequest, response: IncomingMessage): void {
    const { statusCode = 0, headers } = response;
    const { followRedirects, maxRedirects = 10 } = this.#options;
    const { location = "" } = headers;
    const websocket = this.#websocket;
    if (location !== "" && followRedirects === true && statusCode >= 300 && statusCode < 400) {
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
    const answer = this.#check(response);
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

  /** The agreed parameters, or the reason why the answer is invalid (RFC 6455 section 4.1). */
  #check({ headers }: IncomingMessage): { protocol: string; compression: AgreedCompression | null } | string {
    if (headers.upgrade?.toLowerCase() !== "websocket") return "Invalid Upgrade header";
    if (headers["sec-websocket-accept"] !== acceptKey(this.#key))
      return "Invalid Sec-WebSocket-Accept header";
    const protocol = headers["sec-websocket-protocol"];
    if (protocol === undefined) {
      if (this.#offered.size > 0) return "Server sent no subprotocol";
    } else if (this.#offered.size === 0) {
      return "Server sent a subprotocol but none was requested";
    } else if (!this.#offered.has(protocol)) {
      return "Server sent an invalid subprotocol";
    }
    const extensions = headers["sec-websocket-extensions"];
    const compression = extensions === undefined ? null : this.#readExtensions(extensions);
    return typeof compression === "string" ? compression : { protocol: protocol ?? "", compression };
  }

  #readExtensions(header: string): AgreedCompression | string | null {
    if (this.#adopter.offerCompression() === null)
      return "Server sent a Sec-WebSocket-Extensions header but no extension was requested";
    const names = header.split(",").map((extension) => extension.split(";", 1)[0]?.trim());
    if (/;\s*(?:=|;|,|$)/.test(header) || names.includes(""))
      return "Invalid Sec-WebSocket-Extensions header";
    if (names.length !== 1 || names[0] !== "permessage-deflate")
      return "Server indicated an extension that was not requested";
    try {
      return this.#adopter.readCompression(header);
    } catch {
      return "Invalid Sec-WebSocket-Extensions header";
    }
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

function netConnect(options: net.NetConnectOpts & { path?: string; socketPath?: string }): net.Socket {
  const { socketPath, ...rest } = options;
  // The `path` of the request is not that of a socket.
  return openSocket({ ...rest, path: socketPath } as net.NetConnectOpts);
}

function tlsConnect(options: tls.ConnectionOptions & { host?: string; servername?: string }): tls.TLSSocket {
  const { host = "", servername } = options;
  const name = servername ?? (net.isIP(host) === 0 ? host : "");
  return tls.connect({ ...options, path: undefined, servername: name } as tls.ConnectionOptions);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
