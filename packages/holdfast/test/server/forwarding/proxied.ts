// Requests to a server as proxies pass them on, and what the server makes of them.

import { serve, type Address, type ServeOptions, type ServerRequest } from "../../../build/index.js";
import { RawClient, type HeadersToSend } from "holdfast-testkit";
import { recordingLogger } from "../recording-logger.js";

export interface Seen {
  readonly status: number;
  /** Of a refusal. */
  readonly body: string;
  readonly requestAddress: Address | null;
  readonly connectionAddress: Address | null;
  readonly requestUrl: string;
  readonly connectionUrl: string;
  readonly lines: ReturnType<typeof recordingLogger>["lines"];
}

/** One upgrade at a server of its own. */
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

/** The client's address as the server sees it, for these headers. */
export async function addressSeen(options: ServeOptions, headers: HeadersToSend): Promise<string> {
  const { requestAddress, connectionAddress } = await seenBy(options, headers);
  if (requestAddress?.address !== connectionAddress?.address) throw new Error("Two addresses of one client");
  if (requestAddress === null) return "none";
  // The peer's own port is any.
  return requestAddress.port === 0 || requestAddress.address === "127.0.0.1"
    ? requestAddress.address
    : `${requestAddress.address} port ${requestAddress.port}`;
}
