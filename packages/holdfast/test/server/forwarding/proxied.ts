// Sends requests to a server as proxies forward them, and records how the server interprets them.

import { serve, type Address, type ServeOptions, type ServerRequest } from "../../../build/index.js";
import { RawClient, type HeadersToSend } from "holdfast-testkit";
import { recordingLogger } from "../recording-logger.js";

export interface Seen {
  readonly status: number;
  /** The body of a refusal. */
  readonly body: string;
  readonly requestAddress: Address | null;
  readonly connectionAddress: Address | null;
  readonly requestUrl: string;
  readonly connectionUrl: string;
  readonly lines: ReturnType<typeof recordingLogger>["lines"];
}

/** Sends one upgrade to a new server. */
export async function seenBy(
  options: ServeOptions,
  headers: HeadersToSend,
  host = "127.0.0.1",
): Promise<Seen> {
  const { logger, lines } = recordingLogger();
  const seen: { request?: ServerRequest; address?: Address | null; url?: string } = {};
  await using server = await serve(
    (connection, request) => {
      seen.request = request;
      seen.address = connection.remoteAddress;
      seen.url = connection.url;
    },
    { host, logger, pingInterval: null, ...options },
  );
  await using client = await RawClient.connect({ port: server.port, host });
  client.sendUpgrade({ headers });
  const { startLine } = await client.readHead();
  const status = Number(startLine.slice(9, 12));
  const body = status === 101 ? "" : Buffer.from(await client.readToEnd()).toString("utf8");
  return {
    status,
    body,
    requestAddress: seen.request?.remoteAddress ?? null,
    connectionAddress: seen.address ?? null,
    requestUrl: seen.request?.url ?? "",
    connectionUrl: seen.url ?? "",
    lines,
  };
}

/** Returns the client's address that the server derives from these headers. */
export async function addressSeen(options: ServeOptions, headers: HeadersToSend): Promise<string> {
  const { requestAddress, connectionAddress } = await seenBy(options, headers);
  if (requestAddress?.address !== connectionAddress?.address) throw new Error("Two addresses of one client");
  if (requestAddress === null) return "none";
  // The port of the peer is arbitrary.
  return requestAddress.port === 0 || requestAddress.address === "127.0.0.1"
    ? requestAddress.address
    : `${requestAddress.address} port ${requestAddress.port}`;
}
