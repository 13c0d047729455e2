// Options of `connect()`.

import { checkHeadLimits, checkOpenTimeout } from "../connection/handshake-options.js";
import {
  checkBoolean,
  checkConnectionOptions,
  checkSignal,
  describe,
  expected,
  readItems,
} from "../connection/options.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import { withDebugLog } from "../node/debug-log.js";
import { InvalidHeader } from "../protocol/errors.js";
import type { HeadLimits } from "../protocol/handshake/head-failure.js";
import type { HeadersInput } from "../protocol/handshake/header-input.js";
import { isReservedSubprotocol } from "../protocol/handshake/link-subprotocol.js";
import { checkRoadOptions, type RoadOptions, type RoadSettings } from "./road/options.js";

/** Options of `connect()`. */
export interface ConnectOptions extends ConnectionOptions, RoadOptions {
  /**
   * Time for all of opening together: name lookup, TCP, proxy, TLS, upgrade and redirects; null for no limit.
   * @default 10000
   */
  readonly openTimeout?: number | null;
  /** More headers of the upgrade request. Those of the handshake itself are refused. */
  readonly headers?: HeadersInput | undefined;
  /**
   * Subprotocols to offer, the preferred one first (RFC 6455 section 1.9): any iterable, read once. The names of the
   * link protocol (`holdfast.v1`, …) are refused. @default []
   */
  readonly subprotocols?: (Iterable<string> & object) | undefined;
  /**
   * Fail the handshake with NegotiationError where the server selects none of `subprotocols` (RFC 6455 section 4.1
   * lets it). Without this option the connection opens, and `connection.subprotocol` is null. @default false
   */
  readonly requireSubprotocol?: boolean | undefined;
  /** The Origin header (RFC 6454); for servers that expect a browser's. */
  readonly origin?: string | null | undefined;
  /**
   * How many redirects to follow (RFC 9110 section 15.4); 0: none, a redirect is an `InvalidStatus` then; null: no
   * limit. @default 10
   */
  readonly maxRedirects?: number | null | undefined;
  /**
   * Open it as a stream of an HTTP/2 connection (RFC 8441), which connections to the same origin with the same options
   * share. The server has to speak it: over TLS it says so, for `ws:` it is taken for granted. @default false
   */
  readonly http2?: boolean | undefined;
  /** Bytes of the answer's head; null for no limit. @default 16384 */
  readonly maxHandshakeSize?: number | null;
  /** Gives up at any moment of opening; the promise rejects with its reason. */
  readonly signal?: AbortSignal | null | undefined;
}

export interface ConnectSettings extends RoadSettings {
  readonly connection: ConnectionSettings;
  readonly openTimeout: number | null;
  readonly subprotocols: readonly string[];
  readonly requireSubprotocol: boolean;
  readonly maxRedirects: number;
  readonly http2: boolean;
  readonly headLimits: HeadLimits;
  readonly signal: AbortSignal | null;
}

/** @throws InvalidArgument, InvalidHeader */
export function checkConnectOptions(options: ConnectOptions): ConnectSettings {
  return {
    connection: withDebugLog(checkConnectionOptions(options)),
    openTimeout: checkOpenTimeout(options.openTimeout),
    subprotocols: checkSubprotocols(options.subprotocols),
    requireSubprotocol: checkBoolean("requireSubprotocol", options.requireSubprotocol, false),
    maxRedirects: checkMaxRedirects(options.maxRedirects),
    http2: checkBoolean("http2", options.http2, false),
    headLimits: checkHeadLimits(options.maxHandshakeSize),
    signal: checkSignal(options.signal),
    ...checkRoadOptions(options),
  };
}

/** Reads them; the handshake checks that they are tokens. */
function checkSubprotocols(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const names = readItems("subprotocols", value);
  if (names === null) {
    throw new InvalidHeader(
      `Expected \`subprotocols\` to be a list, got ${describe(value)}.`,
      "Sec-WebSocket-Protocol",
    );
  }
  const reserved = names.find((name) => typeof name === "string" && isReservedSubprotocol(name));
  if (reserved !== undefined) {
    throw expected("subprotocols", "names that the link protocol does not use itself", reserved);
  }
  return names as readonly string[]; // The handshake checks each before it is sent.
}

function checkMaxRedirects(value: unknown): number {
  if (value === undefined) return 10;
  if (value === null) return Infinity;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw expected("maxRedirects", "a whole number that is not negative, or null", value);
}
