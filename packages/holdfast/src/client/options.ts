// Options of `connect()`.

import { checkHeadLimits, checkOpenTimeout } from "../connection/handshake-options.js";
import type { OptionNames } from "../shared/option-names.js";
import { CONNECTION_OPTIONS } from "../connection/options.js";
import { checkBoolean, checkSignal, describe, invalidArgument, readItems } from "../shared/option-checks.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import { withDebugLog } from "../transport/node/debug-log.js";
import { checkNodeOptions } from "../transport/node/connection-settings.js";
import { InvalidHeaderError } from "../shared/errors.js";
import type { HeadLimits } from "../protocol/handshake/head-failure.js";
import type { HeadersInput } from "../protocol/handshake/header-input.js";
import { isReservedSubprotocol } from "../shared/link-subprotocol.js";
import { isToken } from "../shared/token.js";
import {
  checkTransportOptions,
  TRANSPORT_OPTIONS,
  type TransportOptions,
  type TransportSettings,
} from "./dial/options.js";

/** Options of `connect()`. */
export interface ConnectOptions extends ConnectionOptions, TransportOptions {
  /**
   * Milliseconds for opening as a whole: name lookup, TCP, proxy, TLS, upgrade and redirects; null for no limit.
   * @default 10000
   */
  readonly openTimeout?: number | null | undefined;
  /**
   * Additional headers of the upgrade request. The headers of the handshake itself are rejected, except `Host`, which
   * replaces the host of the URL in the request (`:authority` over HTTP/2).
   */
  readonly headers?: HeadersInput | undefined;
  /**
   * Subprotocols to offer, in order of preference (RFC 6455 section 1.9): any iterable, which is read once. The names
   * of the link protocol (`holdfast.v1`, …) are rejected. @default []
   */
  readonly subprotocols?: (Iterable<string> & object) | undefined;
  /**
   * Fail the handshake with NegotiationError if the server selects none of `subprotocols`. By default the connection
   * opens (RFC 6455 section 4.1 allows that), and `connection.subprotocol` is null. @default false
   */
  readonly requireSubprotocol?: boolean | undefined;
  /**
   * Offer the link protocol (docs/link-protocol.md), which the topics of a Holdfast server need. With `"required"`, a
   * server that does not accept it is a NegotiationError. @default false
   */
  readonly linkProtocol?: boolean | "required" | undefined;
  /** The Origin header (RFC 6454), for servers that check it. */
  readonly origin?: string | null | undefined;
  /**
   * The number of redirects to follow (RFC 9110 section 15.4); null for no limit. With 0, a redirect is an
   * `InvalidStatusError`. @default 10
   */
  readonly maxRedirects?: number | null | undefined;
  /**
   * Names of `headers` that are also sent to another origin after a redirect. Always sent are Accept, Accept-Encoding,
   * Accept-Language, Cache-Control, Origin, Pragma and User-Agent, which carry no credentials. If a subprotocol looks
   * like a credential, a redirect to another origin is a `RedirectError` unless the list contains
   * "Sec-WebSocket-Protocol". @default []
   */
  readonly redirectHeaders?: readonly string[] | undefined;
  /**
   * Open the WebSocket as a stream of an HTTP/2 connection (RFC 8441), shared by connections to the same origin with
   * the same options. The server must support this: over TLS it is negotiated, for `ws:` it is assumed. @default false
   */
  readonly http2?: boolean | undefined;
  /** Maximum size of the response head, in bytes; null for no limit. @default 16384 */
  readonly maxHandshakeSize?: number | null | undefined;
  /** Aborts opening at any point. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

export const CONNECT_OPTIONS: OptionNames<ConnectOptions> = {
  ...CONNECTION_OPTIONS,
  ...TRANSPORT_OPTIONS,
  openTimeout: true,
  headers: true,
  subprotocols: true,
  requireSubprotocol: true,
  linkProtocol: true,
  origin: true,
  maxRedirects: true,
  redirectHeaders: true,
  http2: true,
  maxHandshakeSize: true,
  signal: true,
};

export interface ConnectSettings extends TransportSettings {
  readonly connection: ConnectionSettings;
  readonly openTimeout: number | null;
  readonly subprotocols: readonly string[];
  readonly requireSubprotocol: boolean;
  readonly linkProtocol: boolean | "required";
  readonly maxRedirects: number;
  /** Names in lower case. */
  readonly redirectHeaders: ReadonlySet<string>;
  readonly http2: boolean;
  readonly headLimits: HeadLimits;
  readonly signal: AbortSignal | null;
}

/** @throws InvalidArgumentError, InvalidHeaderError */
export function checkConnectOptions(options: ConnectOptions): ConnectSettings {
  return {
    connection: withDebugLog(checkNodeOptions(options)),
    openTimeout: checkOpenTimeout(options.openTimeout),
    subprotocols: checkSubprotocols(options.subprotocols),
    requireSubprotocol: checkBoolean("requireSubprotocol", options.requireSubprotocol, false),
    linkProtocol: checkLinkProtocol(options.linkProtocol),
    maxRedirects: checkMaxRedirects(options.maxRedirects),
    redirectHeaders: checkRedirectHeaders(options.redirectHeaders),
    http2: checkBoolean("http2", options.http2, false),
    headLimits: checkHeadLimits(options.maxHandshakeSize),
    signal: checkSignal(options.signal),
    ...checkTransportOptions(options),
  };
}

/** Reads the list and rejects reserved names. The handshake checks that the names are tokens. */
function checkSubprotocols(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const names = readItems("subprotocols", value);
  if (names === null) {
    throw new InvalidHeaderError(
      `Expected \`subprotocols\` to be a list, got ${describe(value)}.`,
      "Sec-WebSocket-Protocol",
    );
  }
  const reserved = names.find((name) => typeof name === "string" && isReservedSubprotocol(name));
  if (reserved !== undefined) {
    throw invalidArgument("subprotocols", "names that the link protocol does not use itself", reserved);
  }
  return names as readonly string[]; // Safe: the handshake checks each name before sending it.
}

function checkLinkProtocol(value: unknown): boolean | "required" {
  return value === "required" ? value : checkBoolean("linkProtocol", value, false);
}

function checkMaxRedirects(value: unknown): number {
  if (value === undefined) return 10;
  if (value === null) return Infinity;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw invalidArgument("maxRedirects", "a whole number that is not negative, or null", value);
}

function checkRedirectHeaders(value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set();
  if (!Array.isArray(value)) throw invalidArgument("redirectHeaders", "a list of names of headers", value);
  const names: readonly unknown[] = value;
  return new Set(
    names.map((name) => {
      if (typeof name !== "string" || !isToken(name)) {
        throw invalidArgument("redirectHeaders", "a list of names of headers", name);
      }
      if (name.toLowerCase() === "host") {
        throw invalidArgument("redirectHeaders", "without Host, which belongs to one server", name);
      }
      return name.toLowerCase();
    }),
  );
}
