// The ways to a server, and which one a connection takes.

import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { Duplex } from "node:stream";
import { InvalidArgumentError, ProxyError } from "../../shared/errors.js";
import type { HeadLimits } from "../../protocol/handshake/head-failure.js";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import { proxyFromEnvironment, type Environment } from "../proxy/environment.js";
import { parseProxyURL, type Proxy } from "../proxy/proxy.js";
import type { CreateConnection } from "./given-stream.js";
import type { SocketSettings } from "./socket.js";

export type DialTarget =
  /** A socket to what the URL names: host and port, or a Unix socket. */
  | { readonly kind: "socket"; readonly path: string | null }
  | { readonly kind: "proxy"; readonly proxy: Proxy }
  /** A stream that the application gave, good for one connection. */
  | { readonly kind: "stream"; readonly stream: Duplex }
  | { readonly kind: "made-stream"; readonly create: CreateConnection };

/** What the options say about the way. */
export type DialChoice = DialTarget | { readonly kind: "by-environment" };

/** How to go, whatever the way. */
export interface DialOptions extends SocketSettings {
  readonly tls: TlsOptions | undefined;
  /** Of the answer of an HTTP proxy. */
  readonly headLimits: HeadLimits;
  readonly openTimeout: number | null;
  /** Whether HTTP/2 is to be spoken to the server. */
  readonly http2: boolean;
}

/**
 * The way to this URL.
 *
 * @throws InvalidArgumentError where the URL and an option name different ones
 * @throws ProxyError where the environment names a proxy that is none
 */
export function chooseDialTarget(
  choice: DialChoice,
  url: WebSocketURL,
  environment: Environment,
): DialTarget {
  if (url.socketPath !== null) return alongUnixURL(choice, url.socketPath);
  if (choice.kind !== "by-environment") return choice;
  const variable = proxyFromEnvironment(url, environment);
  if (variable === null) return { kind: "socket", path: null };
  const proxy = parseProxyURL(variable.value);
  if (typeof proxy !== "string") return { kind: "proxy", proxy };
  throw new ProxyError(`Expected the environment variable ${variable.name} to be ${proxy}`);
}

/** No proxy leads to a socket of this machine, so what the environment says is of no concern. */
function alongUnixURL(choice: DialChoice, path: string): DialTarget {
  if (choice.kind === "by-environment") return { kind: "socket", path };
  if (choice.kind === "socket" && choice.path === null) return { kind: "socket", path };
  throw new InvalidArgumentError(
    "Expected no `proxy`, `socketPath`, `stream` or `createConnection` beside a URL that names a Unix socket itself",
  );
}
