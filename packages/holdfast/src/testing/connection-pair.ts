// `connectionPair()`: two connected connections in one process, over memory instead of sockets.

import { randomFillSync } from "node:crypto";
import { createConnection, type Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { heartbeatKeepalive } from "../connection/keepalive/heartbeat-keepalive.js";
import type { HandshakeRecord } from "../connection/handshake-record.js";
import {
  CONNECTION_OPTIONS,
  type ConnectionOptions,
  type ConnectionSettings,
} from "../connection/options.js";
import {
  acceptDeflate,
  offerDeflate,
  readDeflateAnswer,
  type DeflateSettings,
} from "../protocol/deflate/negotiation.js";
import type { PermessageDeflate } from "../protocol/deflate/permessage-deflate.js";
import { acceptKey } from "../protocol/handshake/accept-key.js";
import { invalidArgument } from "../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { isToken } from "../shared/token.js";
import type { Role } from "../shared/role.js";
import { FrameRuntime } from "../transport/frames/frame-runtime.js";
import { overFrames } from "../transport/frames/frame-transport.js";
import { checkNodeOptions } from "../transport/node/connection-settings.js";
import { nodePlatform } from "../transport/node/node-platform.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import { FakeClock } from "./fake/clock.js";
import { MemoryStream } from "./memory-stream.js";

/** Options of `connectionPair()`. */
export interface ConnectionPairOptions<Data = unknown> {
  /** Drives both connections: pings, timeouts, and the transfer of bytes. @default null: real time */
  readonly clock?: FakeClock | null | undefined;
  /** Options of the client's connection, such as `pingInterval`. @default those of `connect()` */
  readonly client?: ConnectionOptions | undefined;
  /** Options of the server's connection. @default those of `serve()` */
  readonly server?: ConnectionOptions | undefined;
  /** `data` of the server's connection. @default undefined */
  readonly data?: Data | undefined;
  /** `subprotocol` of both. @default null */
  readonly subprotocol?: string | null | undefined;
}

/** Two connections, each the peer of the other. */
export interface ConnectionPair<Data = unknown> {
  /** The connection in the role of the client; its `url` is `ws://memory.test/`. */
  readonly client: Connection;
  /** The connection in the role of the server. */
  readonly server: Connection<Data>;
}

const OPTIONS: OptionNames<ConnectionPairOptions> = {
  clock: true,
  client: true,
  server: true,
  data: true,
  subprotocol: true,
};

/**
 * Returns two open connections that are connected with each other in memory. They exchange real frames (RFC 6455), with
 * all limits, pings and closing handshakes; only the opening handshake and the sockets are missing. With a `clock`,
 * nothing happens before you advance it.
 *
 * @throws InvalidArgumentError
 */
export function connectionPair<Data = unknown>(
  options: ConnectionPairOptions<Data> = {},
): ConnectionPair<Data> {
  checkOptionNames("connectionPair()", options, OPTIONS);
  const clock = options.clock ?? null;
  if (clock !== null && !(clock instanceof FakeClock)) throw invalidArgument("clock", "a FakeClock", clock);
  const runtime = clock === null ? nodeRuntime() : new FrameRuntime(clock, random, null, nodePlatform);
  const [clientStream, serverStream] = MemoryStream.pair(runtime.clock);
  const subprotocol = options.subprotocol ?? null;
  if (subprotocol !== null && !(typeof subprotocol === "string" && isToken(subprotocol)))
    throw invalidArgument("subprotocol", "a token (RFC 6455 section 4.1) or null", subprotocol);
  const settingsOf = (role: Role): ConnectionSettings => {
    const given = options[role] ?? {};
    checkOptionNames(`\`${role}\` of connectionPair()`, given, CONNECTION_OPTIONS);
    return checkNodeOptions(given);
  };
  const settings = { client: settingsOf("client"), server: settingsOf("server") };
  const agreed = negotiate(settings.client.compression, settings.server.compression);
  const open = (role: Role, stream: MemoryStream, data?: unknown): Connection => {
    const extension = agreed?.[role] ?? null;
    const shared = { runtime, stream, role, settings: settings[role], extension, preface: null };
    return createConnection({
      keepalive: heartbeatKeepalive,
      runtime,
      transport: overFrames({ ...shared, rest: NO_BYTES }),
      settings: settings[role],
      handshake: handshakeOf(subprotocol, agreed, data),
      owner: null,
    });
  };
  const client = open("client", clientStream);
  const server = open("server", serverStream, options.data) as Connection<Data>; // The type of `data`.
  for (const connection of [client, server]) coreOf(connection).start();
  return { client, server };
}

interface Agreement {
  readonly offer: string;
  readonly answer: string;
  readonly client: PermessageDeflate;
  readonly server: PermessageDeflate;
}

/** The compression that both sides want, with the headers that would agree on it; null for none. */
function negotiate(client: DeflateSettings | null, server: DeflateSettings | null): Agreement | null {
  if (client === null || server === null) return null;
  const offer = offerDeflate(client);
  const accepted = acceptDeflate(offer, server);
  if (accepted === null) return null;
  const { header, extension } = accepted;
  const read = readDeflateAnswer(header, client);
  if (read instanceof Error) throw read;
  return read && { offer, answer: header, client: read.extension, server: extension };
}

/** The result of a handshake that did not take place. */
function handshakeOf(subprotocol: string | null, agreed: Agreement | null, data: unknown): HandshakeRecord {
  return {
    url: URL,
    get request() {
      const headers = new Headers({ Host: "memory.test", Upgrade: "websocket", Connection: "Upgrade" });
      headers.set("Sec-WebSocket-Key", KEY);
      headers.set("Sec-WebSocket-Version", "13");
      if (agreed !== null) headers.set("Sec-WebSocket-Extensions", agreed.offer);
      return { method: "GET", target: "/", headers };
    },
    get response() {
      const headers = new Headers({ Upgrade: "websocket", Connection: "Upgrade" });
      headers.set("Sec-WebSocket-Accept", acceptKey(KEY));
      if (subprotocol !== null) headers.set("Sec-WebSocket-Protocol", subprotocol);
      if (agreed !== null) headers.set("Sec-WebSocket-Extensions", agreed.answer);
      return { status: 101, headers };
    },
    subprotocol,
    extensions: agreed === null ? [] : [agreed.answer],
    data,
  };
}

const random = { fill: (target: Uint8Array): void => void randomFillSync(target) };
const URL = "ws://memory.test/";
/** The example of RFC 6455 section 1.3. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const NO_BYTES = new Uint8Array(0);
