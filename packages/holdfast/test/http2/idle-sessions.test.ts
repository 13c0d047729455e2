import assert from "node:assert/strict";
import {
  connect as connectHttp2,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect, serve } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  FakeClock,
  SeededRandom,
  testCertificates,
  withTimeout,
  type ResourceCounts,
} from "holdfast-testkit";
import { Runtime } from "../../build/connection/runtime.js";
import { Http2Session } from "../../build/server/http2/http2-session.js";
import type { ServerCore } from "../../build/server/server-core.js";
import { http2Attacker } from "../security/http2-frames.js";

const MINUTE = 60_000;

/** A server's session with its own fake clock. */
class Scene {
  readonly clock = new FakeClock();
  readonly runtime = new Runtime(this.clock, new SeededRandom(1));
  readonly streams: ServerHttp2Stream[] = [];
  readonly server: Http2Server;
  client: ClientHttp2Session | null = null;
  nodeSession: ServerHttp2Session | null = null;
  isClosed = false;

  constructor(openTimeout: number | null) {
    this.server = createServer({ settings: { enableConnectProtocol: true } });
    const core = {
      runtime: this.runtime,
      settings: { openTimeout, headLimits: { maxSize: 16_384, maxHeaders: 128 } },
      requests: {
        receiveStream: (stream: ServerHttp2Stream) => {
          this.streams.push(stream);
          stream.on("error", () => undefined).resume();
          stream.respond({ ":status": 200 });
        },
      },
    };
    let socket: Socket;
    this.server.prependListener("connection", (arriving: Socket) => (socket = arriving));
    this.server.on("session", (nodeSession) => {
      this.nodeSession = nodeSession;
      nodeSession.once("close", () => (this.isClosed = true));
      const source = { kind: "socket", socket } as const;
      const incoming = { source, isSecure: false, since: this.clock.now() };
      // The session uses only these members of the server core.
      new Http2Session(nodeSession, socket, incoming, core as unknown as ServerCore).begin(() => undefined);
    });
  }

  async begin(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.client = connectHttp2(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
    this.client.on("error", () => undefined);
    await new Promise((resolve) => this.client?.once("remoteSettings", resolve));
    return this;
  }

  async open(): Promise<ClientHttp2Stream> {
    const count = this.streams.length;
    const fields = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/" };
    const stream = this.client?.request(fields, { endStream: false });
    assert(stream !== undefined);
    stream.on("error", () => undefined).resume();
    await eventually(() => this.streams.length > count, "the stream", 30_000);
    return stream;
  }

  async end(stream: ClientHttp2Stream): Promise<void> {
    const ended = this.streams.filter(({ destroyed }) => destroyed).length;
    stream.close(8);
    await eventually(
      () => this.streams.filter(({ destroyed }) => destroyed).length > ended,
      "its end",
      30_000,
    );
  }

  /** Whether the session is still open after this many milliseconds. */
  async assertClosesAfter(ms: number): Promise<void> {
    this.clock.advance(ms - 1);
    assert.equal(this.nodeSession?.closed, false);
    this.clock.advance(1);
    assert.equal(this.nodeSession.closed, true);
    await eventually(() => this.isClosed, "the end of the session", 30_000);
    assert.equal(this.clock.pendingTimers, 0);
  }
}

describe("An HTTP/2 connection of a server without streams", () => {
  let resources: ResourceCounts;
  let scene: Scene;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    scene.client?.destroy();
    await new Promise((resolve) => scene.server.close(resolve));
    await assertNothingLeft(resources, { timeout: 30_000 });
  });

  for (const [openTimeout, first] of [
    [10_000, 10_000],
    [null, MINUTE],
  ] as const) {
    test(`H: is closed after ${first} ms if it never had one, with openTimeout: ${openTimeout}`, async () => {
      scene = await new Scene(openTimeout).begin();
      await scene.assertClosesAfter(first);
    });

    test(`H: is closed a minute after the last one, however long that was quiet, with openTimeout: ${openTimeout}`, async () => {
      scene = await new Scene(openTimeout).begin();
      const stream = await scene.open();
      scene.clock.advance(10 * MINUTE);
      const other = await scene.open();
      await scene.end(stream);
      scene.clock.advance(10 * MINUTE);
      assert.equal(scene.nodeSession?.closed, false);
      await scene.end(other);
      scene.clock.advance(MINUTE - 1);
      await scene.end(await scene.open());
      await scene.assertClosesAfter(MINUTE);
    });
  }

  test("H: is closed on time although the client sends pings all the while", async () => {
    scene = await new Scene(10_000).begin();
    await scene.end(await scene.open());
    for (let second = 0; second < 59; second++) {
      await new Promise((resolve) => scene.client?.ping(resolve));
      scene.clock.advance(1_000);
    }
    await scene.assertClosesAfter(1_000);
  });

  test("H: is cut a second after GOAWAY if the client does not end it", async () => {
    scene = await new Scene(10_000).begin();
    scene.client?.destroy();
    await eventually(() => scene.isClosed, "the end of the first", 30_000);
    scene.isClosed = false;
    const { port } = scene.server.address() as AddressInfo;
    await using client = await http2Attacker({ port }); // The client keeps its side open.
    await eventually(() => scene.nodeSession?.destroyed === false, "the session", 30_000);
    scene.clock.advance(10_000);
    await client.pause(50);
    assert.deepEqual([scene.nodeSession?.closed, scene.isClosed], [true, false]);
    scene.clock.advance(1_000);
    await eventually(() => scene.isClosed, "the end of the session", 30_000);
  });
});

test("H: HTTP/2 connections without WebSockets do not count towards maxConnections", async () => {
  const { server: tls, ca } = await testCertificates();
  const server = await serve((connection) => connection.forEach(() => undefined), {
    host: "127.0.0.1",
    tls,
    http2: true,
    maxConnections: 1,
  });
  const idle = await Promise.all(
    Array.from({ length: 5 }, () => http2Attacker({ port: server.port, timeout: 30_000, tls: { ca } })),
  );
  for (const http2 of [true, true, false]) {
    const connection = await connect(server.url, { http2, tls: { ca } });
    await assert.rejects(connect(server.url, { http2, tls: { ca } }), { status: 503 });
    await connection.close();
    await eventually(() => server.connections.size === 0, "its end", 30_000);
  }
  await withTimeout(server.close({ timeout: 5_000 }), 30_000, "the server's end");
  for (const client of idle) await client.close();
});
