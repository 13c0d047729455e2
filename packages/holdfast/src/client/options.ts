// Options of `connect()`.

import type { ConnectionOptions as TlsOptions } from "node:tls";
import { checkHeadLimits, checkOpenTimeout } from "../connection/handshake-options.js";
import { checkConnectionOptions, checkSignal } from "../connection/options.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import type { HeadLimits } from "../protocol/handshake/head-failure.js";
import type { HeadersInput } from "../protocol/handshake/header-input.js";

export interface ConnectOptions extends ConnectionOptions {
  /**
   * Time for all of opening together: name lookup, TCP, TLS and upgrade; null for no limit. @default 10000
   */
  readonly openTimeout?: number | null;
  /** More headers of the upgrade request. Those of the handshake itself are refused. */
  readonly headers?: HeadersInput | undefined;
  /** Subprotocols to offer, the preferred one first (RFC 6455 section 1.9). @default [] */
  readonly subprotocols?: readonly string[] | undefined;
  /** The Origin header (RFC 6454); for servers that expect a browser's. */
  readonly origin?: string | null | undefined;
  /** Options of `tls.connect`: `ca`, `cert`, `key`, `rejectUnauthorized`, `servername`, … */
  readonly tls?: TlsOptions | undefined;
  /** Bytes of the answer's head. @default 16384 */
  readonly maxHandshakeSize?: number;
  /** Gives up at any moment of opening; the promise rejects with its reason. */
  readonly signal?: AbortSignal | null | undefined;
}

export interface ConnectSettings {
  readonly connection: ConnectionSettings;
  readonly openTimeout: number | null;
  readonly headLimits: HeadLimits;
  readonly signal: AbortSignal | null;
}

/** @throws InvalidArgument */
export function checkConnectOptions(options: ConnectOptions): ConnectSettings {
  return {
    connection: checkConnectionOptions(options),
    openTimeout: checkOpenTimeout(options.openTimeout),
    headLimits: checkHeadLimits(options.maxHandshakeSize),
    signal: checkSignal(options.signal),
  };
}
