// The behaviour that `@holdfast/ws` adds to `ws`, and the options that it rejects.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "@holdfast/ws";
import { explain } from "holdfast";

/** A server with these options, and a client that has opened. */
async function withPair(
  options: object,
  play: (client: WebSocket, server: WebSocket) => Promise<void>,
): Promise<void> {
  const listener = new WebSocketServer({ port: 0, ...options });
  try {
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const accepted = once(listener, "connection") as Promise<[WebSocket]>;
    const client = new WebSocket(`ws://127.0.0.1:${port}`, options);
    await once(client, "open");
    await play(client, (await accepted)[0]);
  } finally {
    for (const client of listener.clients) client.terminate();
    listener.close();
  }
}

/** A server that accepts one upgrade, and then neither answers nor closes. */
async function silentServer(): Promise<{ url: string; close(): void }> {
  const { createHash } = await import("node:crypto");
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (head) => {
      const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(head.toString())?.[1] ?? "";
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

const QUICK = { holdfast: { pingInterval: 50, pingTimeout: 50 } };

test("N4: a peer that no longer answers gives close 1006, without an error, and its connection explains it", async () => {
  const server = await silentServer();
  try {
    const client = new WebSocket(server.url, QUICK);
    client.on("error", (error) => assert.fail(error));
    const [code, reason] = (await once(client, "close")) as [number, Buffer];
    const info = await client.holdfast?.closed;
    assert.ok(info);
    assert.deepEqual([code, reason.length, info.cause], [1006, 0, "heartbeat-timeout"]);
    assert.match(explain(info), /ping/);
  } finally {
    server.close();
  }
});

test("N4: the keepalive is on by default, and measures the latency", async () => {
  await withPair({}, async (client, server) => {
    client.close();
    for (const { holdfast } of [client, server]) {
      const evidence = (await holdfast?.closed)?.evidence;
      assert.deepEqual([evidence?.pingInterval, evidence?.pingTimeout], [20_000, 20_000]);
    }
  });
  await withPair({ holdfast: { pingInterval: 20 } }, async (client) => {
    const pings = [await once(client, "ping"), await once(client, "ping")] as [Buffer][];
    assert.deepEqual(
      pings.map(([payload]) => payload.length),
      [8, 8],
    );
    while (client.holdfast?.latency === null) await once(client, "ping"); // A busy machine answers late.
    assert.equal(typeof client.holdfast?.latency, "number");
  });
});

test("N4: pongs of the keepalive are not the application's, and its own pings are still answered", async () => {
  await withPair({ holdfast: { pingInterval: 50 } }, async (client) => {
    const pongs: string[] = [];
    client.on("pong", (payload) => pongs.push(payload.toString()));
    await once(client, "ping"); // The other side has sent its keepalive ping, and so has this one.
    client.ping("mine");
    while (pongs.length === 0) await once(client, "ping");
    assert.deepEqual(pongs, ["mine"]);
  });
});

test("N4: `pingInterval: null` turns the keepalive off, as in ws", async () => {
  await withPair({ holdfast: { pingInterval: null } }, async (client, server) => {
    assert.equal(client.holdfast?.latency, null);
    client.close();
    const [code] = (await once(server, "close")) as [number];
    assert.deepEqual([code, server.holdfast?.latencyStats.sent], [1005, 0]);
  });
});

test("N4: an option without an equivalent is rejected with the reason; limits that Holdfast does not need are accepted", () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ holdfast: { autoPong: false } }, /Expected only .* in the option `holdfast`, got `autoPong`\./],
    [{ holdfast: { pingInterval: "20s" } }, /Expected `pingInterval` to be .*, got "20s" \(string\)/],
    [
      { perMessageDeflate: { zlibDeflateOptions: { memLevel: 10 } } },
      /Expected `compression.memLevel` to be /,
    ],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => new WebSocketServer({ noServer: true, ...options }), message);
    assert.throws(() => new WebSocket("ws://127.0.0.1:1", options), message);
  }
  const usual = {
    skipUTF8Validation: true,
    maxFragments: 10_000,
    maxBufferedChunks: 10_000,
    maxPendingAutoPongs: 10,
    perMessageDeflate: {
      zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 3 },
      zlibInflateOptions: { chunkSize: 10 * 1024 },
      concurrencyLimit: 10,
      threshold: 1024,
    },
  };
  assert.equal(new WebSocketServer({ noServer: true, ...usual }).options.noServer, true);
});

test("N4: the mask of the other role is rejected, and leaves the connection open", async () => {
  await withPair({}, (client, server) => {
    assert.throws(() => client.send("hi", { mask: false }), /Expected no other `mask` than the role's/);
    assert.throws(() => server.send("hi", { mask: true }), /Expected no other `mask` than the role's/);
    assert.throws(() => client.ping("hi", false), /Expected no other `mask` than the role's/);
    assert.equal(client.readyState, WebSocket.OPEN);
    return Promise.resolve();
  });
});

test("N4: data that would make the peer fail the connection is rejected, and leaves it open", async () => {
  await withPair({}, async (client, server) => {
    assert.throws(() => client.send(Buffer.from([0xff]), { binary: false }), /Expected `data` to be UTF-8/);
    assert.throws(() => client.ping(new Blob(["hi"])), /Expected a string or bytes for ping\(\), got a Blob/);
    const message = once(server, "message") as Promise<[Buffer]>;
    client.send("still open");
    assert.equal((await message)[0].toString(), "still open");
  });
});

test("N4: generateMask fills the masking keys", async () => {
  const keys: number[] = [];
  const generateMask = (mask: Buffer): void => {
    keys.push(mask.length);
    mask.fill(0);
  };
  await withPair({ generateMask }, async (client, server) => {
    const received: Buffer[] = [];
    (server as unknown as { _socket: NodeJS.EventEmitter })._socket.prependListener("data", (chunk: Buffer) =>
      received.push(Buffer.from(chunk)),
    );
    client.send(Buffer.from("foo"));
    await once(server, "message");
    assert.deepEqual(Buffer.concat(received), Buffer.from("828300000000666f6f", "hex"));
    assert.deepEqual([...new Set(keys)], [4]);
  });
});

test("N4: an exception of a listener is uncaught, as in ws, and the connection goes on", async () => {
  await withPair({}, async (client, server) => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const caught = new Promise<Error>((resolve) => process.once("uncaughtException", resolve));
    try {
      server.once("message", () => {
        throw new Error("Oops");
      });
      client.send("one");
      assert.equal((await caught).message, "Oops");
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
    const message = once(server, "message") as Promise<[Buffer]>;
    client.send("two");
    assert.equal((await message)[0].toString(), "two");
  });
});

test("N4: after an exception of a listener, the messages already read wait until it is thrown, as in ws", async () => {
  await withPair({}, async (client, server) => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const events: string[] = [];
    process.once("uncaughtException", () => events.push("uncaught"));
    try {
      server.on("message", (data) => {
        events.push((data as Buffer).toString());
        if (events.length === 1) throw new Error("Oops");
      });
      for (const text of ["1", "2", "3"]) client.send(text);
      client.close();
      await once(server, "close");
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
    assert.deepEqual(events, ["1", "uncaught", "2", "3"]);
  });
});

test("N4: sends whose bytes never reach the socket report it to their callbacks before close", async () => {
  await withPair({}, async (client) => {
    const events: string[] = [];
    client.on("close", (code) => events.push(`close ${code}`));
    // More than the kernel takes: the peer's side reads nothing within this turn.
    for (let index = 0; index < 200; index++) {
      client.send(Buffer.alloc(1024 * 1024), (error) => {
        if (index === 199) events.push(error?.message ?? "sent");
      });
    }
    client.terminate();
    await once(client, "close");
    assert.deepEqual(events, ["The socket was closed before the message was sent", "close 1006"]);
  });
});

test("N4: allowSynchronousEvents: false delivers each message in a turn of its own", async () => {
  await withPair({ allowSynchronousEvents: false }, async (client, server) => {
    let isSameTurn = false;
    const seen: [string, boolean][] = [];
    client.on("message", (data) => {
      seen.push([(data as Buffer).toString(), isSameTurn]);
      isSameTurn = true;
      process.nextTick(() => (isSameTurn = false));
    });
    for (const text of ["a", "b", "c"]) server.send(text);
    server.close();
    await once(client, "close");
    assert.deepEqual(seen, [
      ["a", false],
      ["b", false],
      ["c", false],
    ]);
  });
});

test("N4: verifyClient that gives a promise or an error refuses the client, and the process is warned once", async () => {
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error): void => {
    if (name === "HoldfastWarning") warnings.push(message);
  };
  process.on("warning", onWarning);
  const deciders: readonly unknown[] = [
    async () => true,
    async () => Promise.reject(new Error("no")),
    () => new Error("no"),
    (_: unknown, done: (verdict: unknown) => void) => done(new Error("no")),
  ];
  for (const verifyClient of deciders) {
    const listener = new WebSocketServer({ port: 0, verifyClient: verifyClient as () => boolean });
    listener.on("connection", () => assert.fail("The client is refused."));
    await once(listener, "listening");
    const client = new WebSocket(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    const [error] = (await once(client, "error")) as [Error];
    assert.match(error.message, /401/);
    listener.close();
  }
  process.off("warning", onWarning);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^Expected `verifyClient` to answer true or false, got a promise:/);
});

test("N4: verifyClient may answer with any true value, as in ws", async () => {
  const verifyClient = (() => ({ user: "ada" })) as unknown as () => boolean;
  await withPair({ verifyClient }, async (client) => assert.equal(client.readyState, WebSocket.OPEN));
});
