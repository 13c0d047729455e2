import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { promisify } from "node:util";
import {
  attach,
  connect,
  InvalidArgumentError,
  type AttachOptions,
  type Connection,
  type Server,
} from "../../build/index.js";
import { activeResources, assertNothingLeft, type ResourceCounts } from "holdfast-testkit";

describe("G7: attach({ closeWithServer })", () => {
  let resources: ResourceCounts;
  let httpServer: HttpServer;
  const attached: Server[] = [];

  beforeEach(() => {
    resources = activeResources();
    httpServer = createServer((_request, response) => response.end("a page"));
  });
  afterEach(async () => {
    for (const server of attached.splice(0)) await server.close();
    httpServer.closeAllConnections();
    if (httpServer.listening) await promisify(httpServer.close.bind(httpServer))();
    await assertNothingLeft(resources);
  });

  async function open(path: string, closeWithServer?: AttachOptions["closeWithServer"]): Promise<Connection> {
    const options = closeWithServer === undefined ? { path } : { path, closeWithServer };
    attached.push(attach(httpServer, (connection) => connection.closed, options));
    if (!httpServer.listening) {
      httpServer.listen(0, "127.0.0.1");
      await once(httpServer, "listening");
    }
    const { port } = httpServer.address() as AddressInfo; // It listens on TCP.
    return connect(`ws://127.0.0.1:${port}${path}`);
  }

  test("G7: closing the HTTP server closes the connections, and then completes", async () => {
    const connection = await open("/", true);
    const closed = once(httpServer, "close");
    httpServer.close();
    const { code, cause, ok } = await connection.closed;
    assert.deepEqual({ code, cause, ok }, { code: 1001, cause: "peer-close", ok: true });
    await closed;
  });

  test("G7: it closes with the given options", async () => {
    const connection = await open("/", { code: 1012, reason: "update" });
    httpServer.close();
    const { code, reason } = await connection.closed;
    assert.deepEqual({ code, reason }, { code: 1012, reason: "update" });
  });

  test("G7: by default, and with false, the connections stay open, and the HTTP server waits for them", async () => {
    const connections = [await open("/default"), await open("/false", false)];
    assert.equal(Object.hasOwn(httpServer, "close"), false);
    let hasClosed = false;
    const closed = once(httpServer, "close").then(() => (hasClosed = true));
    httpServer.close();
    for (const connection of connections) {
      await connection.ping(); // Still answered.
      assert.equal(connection.state, "open");
    }
    assert.equal(hasClosed, false);
    await Promise.all(connections.map((connection) => connection.close()));
    await closed;
  });

  test("G7: several attached servers each close with their own options", async () => {
    const [first, second] = [await open("/first", { code: 1012 }), await open("/second", { code: 1013 })];
    const closed = once(httpServer, "close");
    httpServer.close();
    assert.deepEqual([(await first.closed).code, (await second.closed).code], [1012, 1013]);
    await closed;
  });

  test("G7: an attached server that has closed leaves the HTTP server as it was", async () => {
    await open("/first", true);
    await open("/second", true);
    for (const server of [...attached].reverse()) await server.close();
    assert.equal(Object.hasOwn(httpServer, "close"), false);
  });

  test("G7: an attached server that closes before a later one leaves the later one alone", async () => {
    await open("/first", true);
    const second = await open("/second", true);
    await attached[0]?.close();
    httpServer.close();
    assert.equal((await second.closed).code, 1001);
  });

  test("G7: bad values are rejected before anything is attached", () => {
    const refuses = (server: HttpServer | null, value: unknown, message: RegExp): void => {
      const options = { closeWithServer: value } as AttachOptions; // Wrong on purpose.
      assert.throws(() => attach(server, () => undefined, options), {
        name: InvalidArgumentError.name,
        message,
      });
    };
    refuses(
      httpServer,
      "yes",
      /^Expected `closeWithServer` to be a boolean, or an object with options of close\(\), got "yes"/,
    );
    refuses(httpServer, null, /^Expected `closeWithServer` to be a boolean.*got null/);
    refuses(httpServer, { code: 1 }, /^Expected/);
    refuses(httpServer, { spread: 20, timeout: 10 }, /^Expected `spread` to be less than `timeout`/);
    refuses(null, true, /^Expected no `closeWithServer` if `httpServer` is null/);
    assert.equal(httpServer.listenerCount("upgrade"), 0);
  });
});
