// The cause of an end by an error of the byte stream.

import assert from "node:assert/strict";
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { describe, test } from "node:test";
import { connect, explain, serve, type CloseInfo, type Connection } from "../../../build/index.js";
import type { CloseCause } from "../../../build/connection/close-info.js";
import { causeOfError } from "../../../build/transport/frames/failure-cause.js";
import { testCertificates, withTimeout } from "holdfast-testkit";

const CAUSES: readonly (readonly [
  code: string | undefined,
  syscall: string | undefined,
  cause: CloseCause,
])[] = [
  ["ECONNRESET", "read", "reset"],
  ["ECONNRESET", "write", "reset"],
  ["ECONNRESET", undefined, "reset"],
  ["ECONNABORTED", "read", "reset"],
  ["ETIMEDOUT", "read", "unreachable"],
  ["EHOSTUNREACH", "read", "unreachable"],
  ["EHOSTDOWN", "write", "unreachable"],
  ["ENETUNREACH", "write", "unreachable"],
  ["ENETDOWN", "read", "unreachable"],
  ["EPIPE", undefined, "write-failed"],
  ["ENOBUFS", "write", "write-failed"],
  ["ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC", undefined, "tls"],
  ["ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", undefined, "tls"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", undefined, "tls"],
  ["ERR_TLS_SESSION_ATTACK", undefined, "tls"],
  ["ERR_TLS_RENEGOTIATION_DISABLED", undefined, "tls"],
  ["EPROTO", "write", "tls"],
  // Known to nobody here: `explain()` quotes the error.
  ["EIO", "read", "reset"],
  ["ERR_HTTP2_ERROR", undefined, "reset"],
  ["ERR_STREAM_PREMATURE_CLOSE", undefined, "reset"],
  [undefined, undefined, "reset"],
];

test("D6: each error of a byte stream has its cause", () => {
  const causes = CAUSES.map(([code, syscall]) => {
    const error = new Error("failed");
    return [code, syscall, causeOfError(Object.assign(error, code && { code }, syscall && { syscall }))];
  });
  assert.deepEqual(causes, CAUSES);
});

/** A connection over TLS, and a way to insert bytes that are not TLS on the way to either end. */
async function openThroughTampering() {
  const { ca, server: tls } = await testCertificates();
  const ends: Promise<CloseInfo>[] = [];
  const opened = (connection: Connection): Promise<CloseInfo> => {
    ends.push(connection.closed);
    return connection.closed;
  };
  const server = await serve(opened, { tls, logger: null, pingInterval: null });
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const upstream = connectTcp(server.port, "127.0.0.1");
    sockets.push(client, upstream);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      from.on("error", () => to.destroy()).pipe(to);
    }
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo; // It listens on TCP.
  const client = await connect(`wss://localhost:${port}`, { tls: { ca }, logger: null, pingInterval: null });
  return {
    client,
    ends,
    sockets,
    async [Symbol.asyncDispose](): Promise<void> {
      client.terminate();
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await server.close();
    },
  };
}

describe("TLS that is damaged while a connection is open", () => {
  for (const end of ["client", "server"] as const) {
    test(`D6 D9: inserted bytes on the way to the ${end} end the connection with the cause "tls", and no word of an RST`, async () => {
      await using scene = await openThroughTampering();
      const [toClient, toServer] = scene.sockets;
      (end === "client" ? toClient : toServer).write("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      const closed = end === "client" ? scene.client.closed : scene.ends[0];
      const info = await withTimeout(closed, 30_000, "the end");
      assert.deepEqual([info.cause, info.initiator], ["tls", "network"]);
      assert.match(explain(info), /^TLS failed while the connection was open: ERR_SSL_/);
      assert.doesNotMatch(explain(info), /RST/);
    });
  }
});
