// Where a request comes from: its socket, or the client that a trusted proxy names.

import type { ByteStream } from "../../connection/ports.js";
import type { RequestSource } from "./request-source.js";

export interface RequestOrigin {
  /** The client's address and the server's. */
  readonly transport: Pick<ByteStream, "isUnix" | "localAddress" | "remoteAddress">;
  /** The object of Node that carries the request. */
  readonly source: RequestSource;
  /** Whether the client uses TLS. */
  readonly isSecure: boolean;
  /** The host that the client requested from a trusted proxy; null or absent if the Host header counts. */
  readonly host?: string | null;
  /** Whether a trusted proxy reported these values. */
  readonly isForwarded?: boolean;
}
