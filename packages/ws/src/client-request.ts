// The requests of a client's opening handshake: the options of `http.request()`.

import type { OutgoingHttpHeaders } from "node:http";
import type { Adopter } from "holdfast/adapter";
import type { ClientOptions } from "./client-options.js";
import { netConnect, tlsConnect } from "./client-sockets.js";
import { given } from "./options.js";
import { redirectedHeaders, splitIpcPath, type Carried, type FirstRequest } from "./redirects.js";

/** The redirect that a request follows. */
interface Redirect {
  /** Whether the application listens to `redirect`, and decides itself about the headers. */
  readonly isListenedTo: boolean;
}

export class ClientRequests {
  readonly #options: ClientOptions;
  readonly #offered: ReadonlySet<string>;
  readonly #adopter: Adopter;
  /** The first request, which decides what a redirect may carry; null without `followRedirects`. */
  #first: FirstRequest | null = null;

  /** @param offered the subprotocols */
  constructor(options: ClientOptions, offered: ReadonlySet<string>, adopter: Adopter) {
    this.#options = options;
    this.#offered = offered;
    this.#adopter = adopter;
  }

  /** The options of `http.request()` for the next request. */
  prepare(url: URL, key: string, redirect: Redirect | null): object {
    const options = this.#options;
    const isSecure = url.protocol === "wss:";
    const isIpc = url.protocol === "ws+unix:";
    const { hostname } = url;
    const target = url.pathname + url.search;
    const [socketPath, path] = isIpc ? splitIpcPath(target) : [undefined, target];
    const carried = this.#carry(url, socketPath, redirect);
    return {
      ...options,
      createConnection: given(options.createConnection) ?? (isSecure ? tlsConnect : netConnect),
      defaultPort: options.defaultPort ?? (isSecure ? 443 : 80),
      port: url.port === "" ? (isSecure ? 443 : 80) : url.port,
      host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
      hostname: undefined,
      headers: { ...carried.headers, ...this.#ownHeaders(key) },
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
  #carry(url: URL, socketPath: string | undefined, redirect: Redirect | null): Carried {
    const { followRedirects, headers, auth } = this.#options;
    const hasUserInfo = url.username !== "" || url.password !== "";
    const userInfo = hasUserInfo ? `${decode(url.username)}:${decode(url.password)}` : (auth ?? undefined);
    const ownHeaders = { ...(headers as OutgoingHttpHeaders | undefined) };
    if (!followRedirects) return { headers: ownHeaders, auth: userInfo };
    this.#first ??= {
      headers: Object.fromEntries(
        Object.entries(ownHeaders).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      auth: userInfo,
      host: socketPath ?? url.host,
      isIpc: socketPath !== undefined,
      isSecure: url.protocol === "wss:",
    };
    return redirectedHeaders(this.#first, url, {
      socketPath,
      mayDrop: redirect?.isListenedTo === false,
      userInfo,
    });
  }

  #ownHeaders(key: string): OutgoingHttpHeaders {
    const { origin, protocolVersion = 13 } = this.#options;
    const extensions = this.#adopter.offerCompression();
    return {
      "Sec-WebSocket-Version": protocolVersion,
      "Sec-WebSocket-Key": key,
      Connection: "Upgrade",
      Upgrade: "websocket",
      // One offer, as `ws` makes: the second is for servers that decline the first.
      ...(extensions === null ? {} : { "Sec-WebSocket-Extensions": extensions.split(",", 1)[0] }),
      ...(this.#offered.size === 0 ? {} : { "Sec-WebSocket-Protocol": [...this.#offered].join(",") }),
      ...(origin ? { [protocolVersion < 13 ? "Sec-WebSocket-Origin" : "Origin"]: origin } : {}),
    };
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
