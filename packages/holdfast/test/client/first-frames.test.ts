// Frames that arrive in the same write as the handshake, and listeners that are added as soon as a connection exists.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { connect as connectTcp, type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { eventually, frame, OPCODE, parseFrame, RawServer, testCertificates } from "holdfast-testkit";
import {
  connect,
  connectPersistent,
  reconnect,
  serve,
  withHeartbeat,
  type ConnectOptions,
  type Connection,
} from "../../build/index.js";
import { connectInWorker } from "../transport/worker/patient-connect.js";

const first = (mask: boolean): Uint8Array =>
  Buffer.concat([
    frame({ opcode: OPCODE.ping, payload: "first", mask }),
    frame({ opcode: OPCODE.pong, payload: "unasked", mask }),
    frame({ opcode: OPCODE.text, payload: "hello", mask }),
    frame({ opcode: OPCODE.ping, payload: "second", mask }),
  ]);

const TOLD = ["ping first", "pong unasked", "hello", "ping second"];

const OPTIONS = { autoPong: false, pingInterval: null, closeTimeout: 10_000 } as const;

/** Records the events of listeners that are added now. */
function listen(connection: Connection): string[] {
  const told: string[] = [];
  connection.on("ping", ({ payload }) => {
    told.push(`ping ${Buffer.from(payload).toString()}`);
    connection.pong(payload);
  });
  connection.on("pong", ({ payload }) => told.push(`pong ${Buffer.from(payload).toString()}`));
  void connection.forEach((message) => void told.push(String(message)));
  return told;
}

async function isTold(connection: Connection): Promise<void> {
  const told = listen(connection);
  await eventually(() => told.length === TOLD.length, `all that was sent, instead of ${told.join(", ")}`);
  assert.deepEqual(told, TOLD);
}

type Open = (url: string, options: ConnectOptions) => Promise<void>;

const WAYS: readonly (readonly [string, Open])[] = [
  [
    "connect()",
    async (url, options) => {
      await using connection = await connect(url, options);
      await isTold(connection);
    },
  ],
  [
    "reconnect()",
    async (url, options) => {
      for await (const connection of reconnect(url, options)) {
        await isTold(connection);
        break;
      }
    },
  ],
  [
    "connectInWorker()",
    async (url, options) => {
      await using connection = await connectInWorker(url, options);
      await isTold(connection);
    },
  ],
  [
    "withHeartbeat()",
    async (url, options) => {
      await using connection = await connect(url, options);
      await withHeartbeat(connection, { timeout: 30_000, interval: 30_000 }, () => isTold(connection));
    },
  ],
  [
    "connectPersistent() and onOpen",
    async (url, options) => {
      let told: string[] = [];
      const onOpen = (connection: Connection): void => {
        connection.on("ping", ({ payload }) => {
          told.push(`ping ${Buffer.from(payload).toString()}`);
          connection.pong(payload);
        });
        connection.on("pong", ({ payload }) => told.push(`pong ${Buffer.from(payload).toString()}`));
      };
      const link = connectPersistent(url, { ...options, onOpen, retryable: () => false });
      void link.forEach((message) => void told.push(String(message)));
      await eventually(() => told.length === TOLD.length, "all that was sent");
      assert.deepEqual(told, TOLD);
      told = [];
      link.terminate();
    },
  ],
];

/** Answers each upgrade, and sends the first frames in the same write or in the same tick. */
async function startServer(isSecure: boolean, isGlued: boolean) {
  const { server } = await testCertificates();
  return RawServer.start(isSecure ? { tls: server } : {}, async (peer) => {
    await peer.acceptUpgrade(isGlued ? { glue: first(false) } : {});
    if (!isGlued) peer.write(first(false));
    for (const expected of ["first", "second"]) {
      let { opcode, payload } = await peer.readFrame();
      while (opcode === OPCODE.ping) ({ opcode, payload } = await peer.readFrame()); // A heartbeat's own.
      assert.deepEqual([opcode, Buffer.from(payload).toString()], [OPCODE.pong, expected]);
    }
    peer.end(); // No Close is answered, and none is waited for.
  });
}

describe("the first frames of a server", () => {
  for (const isSecure of [false, true]) {
    for (const isGlued of [true, false]) {
      for (const [what, run] of WAYS) {
        const how = `${isGlued ? "in one write" : "in one turn"} with the 101${isSecure ? ", over TLS" : ""}`;
        test(`B13: ${what} receives them, ${how}`, async () => {
          const { ca } = await testCertificates();
          const server = await startServer(isSecure, isGlued);
          await run(server.url(), { ...OPTIONS, ...(isSecure && { tls: { ca } }) });
          await server.close();
        });
      }
    }
  }

  test("B13: connect() receives them over HTTP/2", async () => {
    const server = createHttp2Server({ settings: { enableConnectProtocol: true } });
    server.on("stream", (stream) => {
      stream.on("error", () => undefined).resume();
      stream.respond({ ":status": 200 });
      stream.write(first(false));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const connection = await connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      ...OPTIONS,
      http2: true,
    });
    await isTold(connection);
    connection.terminate();
    await connection.closed;
    server.close();
  });
});

describe("the first frames of a client", () => {
  test("B13: a handler receives them, in one write with the request", async () => {
    let heard: string[] = [];
    const handler = (connection: Connection): void => void (heard = listen(connection));
    await using server = await serve(handler, { host: "127.0.0.1", ...OPTIONS });
    const socket = connectTcp(server.port, "127.0.0.1");
    const request = [
      "GET / HTTP/1.1",
      `Host: 127.0.0.1:${server.port}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      "",
      "",
    ].join("\r\n");
    socket.write(Buffer.concat([Buffer.from(request), first(true)]));
    await eventually(() => heard.length === TOLD.length, "all that was sent");
    assert.deepEqual(heard, TOLD);
    socket.destroy();
  });

  test("B13: a server's first Ping is not in the write that accepts the upgrade", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1" });
    const socket = connectTcp(server.port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    await eventually(() => Buffer.concat(chunks).includes(Buffer.from([0x89, 8])), "a Ping");
    assert(chunks[0].toString("latin1").endsWith("\r\n\r\n"));
    assert.equal(parseFrame(chunks[1])?.value.opcode, OPCODE.ping);
    socket.destroy();
  });
});
