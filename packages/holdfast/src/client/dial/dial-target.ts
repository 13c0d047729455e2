// Chooses what a connection dials: a socket, a proxy, or a stream of the application.

import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { Duplex } from "node:stream";
import { InvalidArgumentError, ProxyError } from "../../shared/errors.js";
import type { HeadLimits } from "../../protocol/handshake/head-failure.js";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import type { Environment } from "../../transport/node/environment.js";
import { proxyFromEnvironment } from "../proxy/environment.js";
import { parseProxyURL, type Proxy } from "../proxy/proxy.js";
import type { CreateConnection } from "./custom-stream.js";
import type { SocketSettings } from "./socket.js";
import type { TlsSessions } from "./tls-sessions.js";

export type DialTarget =
  /** A socket to the URL's host and port, or to the Unix socket `path`. */
  | { readonly kind: "socket"; readonly path: string | null }
  | { readonly kind: "proxy"; readonly proxy: Proxy }
  /** The option `stream`: it serves one connection. */
  | { readonly kind: "stream"; readonly stream: Duplex }
  | { readonly kind: "stream-factory"; readonly create: CreateConnection };

/** The target that the options choose. `from-environment`: the environment variables decide whether to use a proxy. */
export type DialChoice = DialTarget | { readonly kind: "from-environment" };

/** Settings that apply to every target. */
export interface DialOptions extends SocketSettings {
  readonly tls: TlsOptions | undefined;
  /** TLS sessions to resume; null for none. */
  readonly tlsSessions: TlsSessions | null;
  /** Limits for the response head of an HTTP proxy. */
  readonly headLimits: HeadLimits;
  readonly openTimeout: number | null;
  /** Whether to use HTTP/2 with the server. */
  readonly http2: boolean;
}

/**
 * Chooses the target for this URL.
 *
 * @throws InvalidArgumentError if the URL and an option contradict each other
 * @throws ProxyError if an environment variable holds an invalid proxy URL
 */
export function chooseDialTarget(
  choice: DialChoice,
  url: WebSocketURL,
  environment: Environment,
): DialTarget {
  if (url.socketPath !== null) return unixTarget(choice, url.socketPath);
  if (choice.kind !== "from-environment") return choice;
  const variable = proxyFromEnvironment(url, environment);
  if (variable === null) return { kind: "socket", path: null };
  const proxy = parseProxyURL(variable.value);
  if (typeof proxy !== "string") return { kind: "proxy", proxy };
  throw new ProxyError(`Expected the environment variable ${variable.name} to be ${proxy}.`);
}

/** No proxy can reach a Unix socket of this machine, so the environment does not apply. */
function unixTarget(choice: DialChoice, path: string): DialTarget {
  if (choice.kind === "from-environment") return { kind: "socket", path };
  if (choice.kind === "socket" && choice.path === null) return { kind: "socket", path };
  throw new InvalidArgumentError(
    "Expected no `proxy`, `socketPath`, `stream` or `createConnection` beside a URL that names a Unix socket itself, got one.",
  );
}
