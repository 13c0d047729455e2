// A client that renegotiates TLS again and again. Node emits an error and leaves the socket open: closing it is
// left to the server.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { CLIENT_RENEG_LIMIT, connect, type TLSSocket } from "node:tls";
import { describe, test } from "node:test";
import { attach, serve } from "../../build/index.js";
import { eventually, testCertificates } from "holdfast-testkit";

const UPGRADE =
  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** Connects with TLS 1.2, which has renegotiations. */
async function connectTls(port: number, ca: string): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, ca, servername: "localhost", maxVersion: "TLSv1.2" });
  socket.on("error", () => undefined).resume();
  socket.setMaxListeners(0);
  await once(socket, "secureConnect");
  return socket;
}

/** Renegotiates until the server cuts the connection, or until the number is far beyond the limit. */
async function renegotiate(socket: TLSSocket): Promise<number> {
  let count = 0;
  const cut = once(socket, "close");
  while (!socket.destroyed && count < 10 * CLIENT_RENEG_LIMIT) {
    const renegotiated = new Promise((resolve) => socket.renegotiate({}, resolve));
    if ((await Promise.race([renegotiated, cut])) === null) count++;
    else break;
  }
  return count;
}

describe("TLS renegotiations beyond the limit of Node.js", { timeout: 120_000 }, () => {
  test("H: a server cuts the socket before its request", async () => {
    const { ca, server: tls } = await testCertificates();
    await using server = await serve(() => undefined, { tls, openTimeout: null, logger: null });
    const socket = await connectTls(server.port, ca);
    assert.equal(await renegotiate(socket), CLIENT_RENEG_LIMIT);
    await eventually(() => socket.destroyed, "the cut");
  });

  test("H: an attached server cuts the socket while the upgrade waits for the response before it", async () => {
    const { ca, server: tls } = await testCertificates();
    const paths: string[] = [];
    const httpServer = createServer(tls, ({ url = "" }) => void paths.push(url)); // It never responds.
    attach(httpServer, () => undefined, { logger: null, openTimeout: null });
    httpServer.listen(0, "127.0.0.1");
    await once(httpServer, "listening");
    const { port } = httpServer.address() as AddressInfo; // It listens on TCP.
    const socket = await connectTls(port, ca);
    socket.write(`GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n${UPGRADE}`);
    await eventually(() => paths.length > 0, "the request");
    assert.equal(await renegotiate(socket), CLIENT_RENEG_LIMIT);
    await eventually(() => socket.destroyed, "the cut");
    httpServer.closeAllConnections();
    httpServer.close();
  });
});
