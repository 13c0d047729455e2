// Options of `serve()`.

import type { TlsOptions } from "node:tls";
import { checkConnectionOptions, checkDuration, checkSize, expected } from "../connection/options.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import type { HeadLimits } from "../protocol/handshake/head-failure.js";
import type { AllowedOrigins } from "../protocol/handshake/origin.js";
import { isToken } from "../protocol/handshake/token.js";

export interface ServeOptions extends ConnectionOptions {
  /** Where to listen; 0 for any free port. @default 0 */
  readonly port?: number;
  /** The address to listen on, as in `net.Server.listen`. @default all addresses, IPv6 and IPv4 */
  readonly host?: string;
  /** Options of `tls.createServer` (`key`, `cert`, …): serves `wss:`. @default plain `ws:` */
  readonly tls?: TlsOptions | undefined;
  /** Time that a client has for TLS and the upgrade request together; null for no limit. @default 10000 */
  readonly openTimeout?: number | null;
  /**
   * Which pages may connect (RFC 6455 section 10.2): `"same-origin"`, `"any"`, or a list. A request without an
   * Origin, which no browser sends, passes. @default "same-origin"
   */
  readonly origins?: AllowedOrigins;
  /** Subprotocols that the server speaks, the preferred one first. @default [] */
  readonly subprotocols?: readonly string[];
  /** Chooses the subprotocol instead: one of those offered, or null for none. */
  readonly selectSubprotocol?: (offered: readonly string[]) => string | null | undefined;
  /** Bytes of the request's head. @default 16384 */
  readonly maxHandshakeSize?: number;
}

export interface ServeSettings {
  readonly connection: ConnectionSettings;
  readonly isSecure: boolean;
  readonly openTimeout: number | null;
  readonly origins: AllowedOrigins;
  readonly subprotocols: readonly string[];
  readonly selectSubprotocol: ServeOptions["selectSubprotocol"];
  readonly headLimits: HeadLimits;
}

const MAX_HEADERS = 128;

/** @throws InvalidArgument */
export function checkServeOptions(options: ServeOptions): ServeSettings {
  if (options.selectSubprotocol !== undefined && typeof options.selectSubprotocol !== "function") {
    throw expected("selectSubprotocol", "a function", options.selectSubprotocol);
  }
  return {
    connection: checkConnectionOptions(options),
    isSecure: options.tls !== undefined,
    openTimeout: checkDuration("openTimeout", options.openTimeout, 10_000),
    origins: checkOrigins(options.origins),
    subprotocols: checkSubprotocols(options.subprotocols ?? []),
    selectSubprotocol: options.selectSubprotocol,
    headLimits: {
      maxSize: checkSize("maxHandshakeSize", options.maxHandshakeSize, 16 * 1024) ?? Infinity,
      maxHeaders: MAX_HEADERS,
    },
  };
}

function checkOrigins(value: unknown): AllowedOrigins {
  if (value === undefined) return "same-origin";
  if (value === "same-origin" || value === "any") return value;
  const isList =
    Array.isArray(value) && value.every((item) => typeof item === "string" || item instanceof RegExp);
  if (isList) return value; // Every item was looked at.
  throw expected("origins", '"same-origin", "any" or a list of strings and RegExps', value);
}

function checkSubprotocols(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string" && isToken(item)))
    return value as string[];
  throw expected("subprotocols", "a list of tokens (RFC 6455 section 4.1)", value);
}
