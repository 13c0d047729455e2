import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { connect as connectTcp, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { attach, connect, serve, type ServeOptions, type Server } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  RawClient,
  slowness,
  testCertificates,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { http2Attacker, upgradeFrame } from "../security/http2-frames.js";

const TIMEOUT = 500;

/** Seconds late is a failure; most of the margin is for the clients, which share this process. */
const BOUND = 4_000 * slowness();

describe("The deadline of close()", () => {
  let resources: ResourceCounts;
  let certificates: TestCertificates;
  let cleanUp: (() => unknown)[];

  beforeEach(async () => {
    certificates = await testCertificates();
    resources = activeResources();
    cleanUp = [];
  });
  afterEach(async () => {
    for (const clean of cleanUp) await clean();
    await assertNothingLeft(resources, { timeout: 30_000 });
  });

  function keep(client: RawClient): RawClient {
    cleanUp.push(() => client.close());
    return client;
  }

  async function timeOf(server: Server, timeout = TIMEOUT): Promise<number> {
    const began = performance.now();
    await server.close({ timeout });
    return performance.now() - began;
  }

  /** Connects as fast as it can until stopped, and sends `bytes` on each connection. */
  function newcomers(port: number, bytes: string): void {
    const sockets = new Set<Socket>();
    let isStopped = false;
    const next = (): void => {
      const socket = connectTcp(port, "127.0.0.1");
      sockets.add(socket);
      socket.on("error", () => undefined).on("data", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        if (!isStopped) setImmediate(next);
      });
      if (bytes !== "") socket.write(bytes);
    };
    for (let index = 0; index < 20; index++) next();
    // The server does not close clients that send nothing.
    const more = bytes === "" ? setInterval(next, 2) : null;
    cleanUp.push(() => {
      isStopped = true;
      if (more !== null) clearInterval(more);
      for (const socket of sockets) socket.destroy();
    });
  }

  const OPTIONS: Readonly<Record<string, () => ServeOptions>> = {
    plain: () => ({}),
    "HTTP/2": () => ({ http2: true }),
    TLS: () => ({ tls: certificates.server }),
    "TLS and HTTP/2": () => ({ tls: certificates.server, http2: true }),
  };

  for (const [name, optionsOf] of Object.entries(OPTIONS)) {
    for (const openTimeout of [10_000, null]) {
      test(`G12: close({ timeout }) keeps it over ${name} with openTimeout: ${openTimeout}, whatever state clients are in`, async () => {
        const options = optionsOf();
        const { ca } = certificates;
        const tls = options.tls === undefined ? {} : { tls: { ca } };
        const aborted: string[] = [];
        const server = await serve(() => new Promise(() => undefined), {
          host: "127.0.0.1",
          openTimeout,
          pingInterval: null,
          onRequest: ({ target, signal }) => {
            signal.addEventListener("abort", () => aborted.push(target));
            if (target === "/never") return new Promise<undefined>(() => undefined);
            if (target === "/large") return new Response("x".repeat(32 * 1024 * 1024));
            return undefined;
          },
          ...options,
        });
        const { port } = server;
        const client = (): Promise<RawClient> =>
          RawClient.connect({ port, timeout: 30_000, ...tls }).then(keep);

        keep(await RawClient.connect({ port })); // Clients without TLS, or silent ones.
        await client();
        (await client()).write("GET / HTTP/1.1\r\nHost: a");
        const waiting = await client();
        waiting.sendUpgrade({ path: "/never" });
        const plain = await client();
        plain.write("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
        const unread = await client();
        unread.stopReading();
        unread.write("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        const stuck = await client();
        await stuck.upgrade();
        if (options.http2 === true) {
          keep(await http2Attacker({ port, timeout: 30_000, ...tls }));
          const streams = keep(await http2Attacker({ port, timeout: 30_000, ...tls }));
          streams.write(upgradeFrame(1));
          await eventually(() => server.connections.size === 2, "the stream", 30_000);
        }
        const honest = await connect(server.url, { tls: { ca }, http2: options.http2 === true });
        newcomers(port, "");
        newcomers(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await new Promise((resolve) => setTimeout(resolve, 50));

        const took = await timeOf(server);
        assert.ok(took < BOUND, `${took} ms`);
        assert.equal((await honest.closed).code, 1001);
        assert.equal(server.connections.size, 0);
        await assert.rejects(connect(server.url, { tls: { ca } }), { failure: "refused" });
        await eventually(() => aborted.length >= 1, "onRequest to hear of it", 30_000);
      });
    }
  }

  test("G12: without a time to wait everything is cut at once", async () => {
    const server = await serve(() => new Promise(() => undefined), { host: "127.0.0.1", http2: true });
    const idle = keep(await http2Attacker({ port: server.port }));
    await keep(await RawClient.connect({ port: server.port })).upgrade();
    const took = await timeOf(server, 0);
    assert.ok(took < BOUND - TIMEOUT, `${took} ms`);
    assert.match(await idle.ended, /fin|rst/);
  });

  test("G12: an attached server keeps it, with a request that onRequest never decides and upgrades that arrive all the time", async () => {
    const httpServer = createHttpServer((_request, response) => response.end("route"));
    await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
    cleanUp.push(() => {
      httpServer.closeAllConnections();
      return new Promise((resolve) => httpServer.close(resolve));
    });
    const { port } = httpServer.address() as AddressInfo;
    const server = attach(httpServer, () => new Promise(() => undefined), {
      openTimeout: null,
      pingInterval: null,
      onRequest: ({ target }) => (target === "/never" ? new Promise<undefined>(() => undefined) : undefined),
    });
    keep(await RawClient.connect({ port })).sendUpgrade({ path: "/never" });
    await keep(await RawClient.connect({ port })).upgrade();
    newcomers(
      port,
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const took = await timeOf(server);
    assert.ok(took < BOUND, `${took} ms`);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
  });

  test("G4: clients in the kernel's queue get 503 when close() is called; later ones find the port free", async () => {
    const server = await serve(() => undefined, { host: "127.0.0.1" });
    await keep(await RawClient.connect({ port: server.port })).upgrade();
    const early = Array.from({ length: 20 }, () => RawClient.connect({ port: server.port, timeout: 30_000 }));
    const closing = server.close({ timeout: 2_000 });
    for (const connecting of early) {
      const client = keep(await connecting);
      client.sendUpgrade();
      assert.match((await client.readHead()).startLine, /^HTTP\/1\.1 503 /);
    }
    const successor = await serve(() => undefined, { host: "127.0.0.1", port: server.port });
    await successor.close();
    await closing;
  });
});
